#define _GNU_SOURCE
#include "CVideo.h"

#include <errno.h>
#include <fcntl.h>
#include <libv4l2.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static int call(int device, unsigned long request, void *argument) {
    int result;
    do {
        result = v4l2_ioctl(device, request, argument);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

int movie_video_open(const char *path, int writes) {
    int device = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0) return -errno;
    /* Two writers of one device would mix their pictures: old versions of v4l2loopback allow it. */
    if (writes && flock(device, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(device);
        return -EBUSY;
    }
    if (writes) {
        /* What libv4l2 has to say of a device that it does not take on is no news: such ones are used as they are. */
        FILE *log = v4l2_log_file, *nowhere = fopen("/dev/null", "we");
        v4l2_log_file = nowhere;
        v4l2_fd_open(device, V4L2_DISABLE_CONVERSION);
        v4l2_log_file = log;
        if (nowhere != NULL) fclose(nowhere);
    }
    return device;
}

void movie_video_close(int device) { v4l2_close(device); }

static void copy_text(char *to, size_t room, const unsigned char *from, size_t bytes) {
    size_t length = strnlen((const char *)from, bytes < room - 1 ? bytes : room - 1);
    memcpy(to, from, length);
    to[length] = 0;
}

int movie_video_identify(int device, movie_video_identity *identity) {
    struct v4l2_capability found;
    memset(&found, 0, sizeof found);
    int result = call(device, VIDIOC_QUERYCAP, &found);
    if (result < 0) return result;
    copy_text(identity->driver, sizeof identity->driver, found.driver, sizeof found.driver);
    copy_text(identity->card, sizeof identity->card, found.card, sizeof found.card);
    copy_text(identity->bus, sizeof identity->bus, found.bus_info, sizeof found.bus_info);
    uint32_t all = found.capabilities & V4L2_CAP_DEVICE_CAPS ? found.device_caps : found.capabilities;
    identity->abilities = (all & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE) ? MOVIE_VIDEO_CAPTURE : 0) |
                          (all & (V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE) ? MOVIE_VIDEO_OUTPUT : 0) |
                          (all & V4L2_CAP_STREAMING ? MOVIE_VIDEO_STREAMING : 0);
    return 0;
}

int movie_video_is_busy(int device) {
    struct v4l2_requestbuffers wish = {
        .count = 1, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    int result = call(device, VIDIOC_REQBUFS, &wish);
    if (result == -EBUSY) return 1;
    wish.count = 0;
    if (result >= 0) call(device, VIDIOC_REQBUFS, &wish);
    return 0;
}

int movie_video_list_format(int device, int output, uint32_t index, uint32_t *fourcc) {
    struct v4l2_fmtdesc found = {
        .index = index, .type = output ? V4L2_BUF_TYPE_VIDEO_OUTPUT : V4L2_BUF_TYPE_VIDEO_CAPTURE};
    int result = call(device, VIDIOC_ENUM_FMT, &found);
    if (result >= 0) *fourcc = found.pixelformat;
    return result;
}

int movie_video_list_size(int device, uint32_t fourcc, uint32_t index, movie_video_size *size) {
    struct v4l2_frmsizeenum found = {.index = index, .pixel_format = fourcc};
    int result = call(device, VIDIOC_ENUM_FRAMESIZES, &found);
    if (result < 0) return result;
    if (found.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
        *size = (movie_video_size){
            found.discrete.width, found.discrete.height, found.discrete.width, found.discrete.height};
    } else {
        if (index > 0) return -EINVAL;
        *size = (movie_video_size){
            found.stepwise.min_width, found.stepwise.min_height, found.stepwise.max_width, found.stepwise.max_height};
    }
    return 0;
}

int movie_video_list_rate(
    int device, uint32_t fourcc, uint32_t width, uint32_t height, uint32_t index, movie_video_rate *rate) {
    struct v4l2_frmivalenum found = {.index = index, .pixel_format = fourcc, .width = width, .height = height};
    int result = call(device, VIDIOC_ENUM_FRAMEINTERVALS, &found);
    if (result < 0) return result;
    struct v4l2_fract interval = found.discrete;
    if (found.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
        if (index > 0) return -EINVAL;
        interval = found.stepwise.min;
    }
    if (interval.numerator == 0 || interval.denominator == 0) return -EINVAL;
    *rate = (movie_video_rate){interval.denominator, interval.numerator};
    return 0;
}

static void read_format(const struct v4l2_format *from, movie_video_format *to) {
    *to = (movie_video_format){
        from->fmt.pix.pixelformat, from->fmt.pix.width, from->fmt.pix.height, from->fmt.pix.bytesperline,
        from->fmt.pix.sizeimage};
}

int movie_video_set_capture(int device, movie_video_format *format) {
    struct v4l2_format wish = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
    wish.fmt.pix.pixelformat = format->fourcc;
    wish.fmt.pix.width = format->width;
    wish.fmt.pix.height = format->height;
    wish.fmt.pix.field = V4L2_FIELD_ANY;
    int result = call(device, VIDIOC_S_FMT, &wish);
    if (result >= 0) read_format(&wish, format);
    return result;
}

int movie_video_set_capture_rate(int device, uint32_t numerator, uint32_t denominator) {
    struct v4l2_streamparm wish = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
    wish.parm.capture.timeperframe = (struct v4l2_fract){denominator, numerator};
    return call(device, VIDIOC_S_PARM, &wish);
}

int movie_video_request_capture(int device, uint32_t count) {
    struct v4l2_requestbuffers wish = {
        .count = count, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    int result = call(device, VIDIOC_REQBUFS, &wish);
    return result < 0 ? result : (int)wish.count;
}

int movie_video_map_capture(int device, uint32_t index, void **memory, uint64_t *bytes) {
    struct v4l2_buffer buffer = {.index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    int result = call(device, VIDIOC_QUERYBUF, &buffer);
    if (result < 0) return result;
    void *mapped = v4l2_mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, device, buffer.m.offset);
    if (mapped == MAP_FAILED) return -errno;
    *memory = mapped;
    *bytes = buffer.length;
    return 0;
}

int movie_video_return(int device, uint32_t index) {
    struct v4l2_buffer buffer = {.index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    return call(device, VIDIOC_QBUF, &buffer);
}

int movie_video_start_capture(int device) {
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    return call(device, VIDIOC_STREAMON, &type);
}

int movie_video_stop_capture(int device) {
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    return call(device, VIDIOC_STREAMOFF, &type);
}

int movie_video_take(int device, int milliseconds, uint32_t *index, uint32_t *bytes, int64_t *time) {
    struct pollfd wait = {.fd = device, .events = POLLIN};
    int ready = poll(&wait, 1, milliseconds);
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    if (ready == 0) return 0;
    struct v4l2_buffer buffer = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    int result = call(device, VIDIOC_DQBUF, &buffer);
    if (result == -EAGAIN) return wait.revents & (POLLERR | POLLHUP) ? -ENODEV : 0;
    if (result < 0) return result;
    *index = buffer.index;
    /* A picture that the driver calls damaged is none. */
    *bytes = buffer.flags & V4L2_BUF_FLAG_ERROR ? 0 : buffer.bytesused;
    int isMonotonic = (buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    *time = isMonotonic ? buffer.timestamp.tv_sec * 1000000000LL + buffer.timestamp.tv_usec * 1000LL : 0;
    return 1;
}

int movie_video_get_output(int device, movie_video_format *format) {
    struct v4l2_format found = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT};
    int result = call(device, VIDIOC_G_FMT, &found);
    if (result >= 0) read_format(&found, format);
    return result;
}

int movie_video_set_output(int device, movie_video_format *format) {
    struct v4l2_format wish = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT};
    wish.fmt.pix.pixelformat = format->fourcc;
    wish.fmt.pix.width = format->width;
    wish.fmt.pix.height = format->height;
    wish.fmt.pix.bytesperline = format->stride;
    wish.fmt.pix.sizeimage = format->bytes;
    wish.fmt.pix.field = V4L2_FIELD_NONE;
    wish.fmt.pix.colorspace = V4L2_COLORSPACE_SRGB;
    int result = call(device, VIDIOC_S_FMT, &wish);
    if (result >= 0) read_format(&wish, format);
    return result;
}

int movie_video_set_output_rate(int device, uint32_t numerator, uint32_t denominator) {
    struct v4l2_streamparm wish = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT};
    wish.parm.output.timeperframe = (struct v4l2_fract){denominator, numerator};
    return call(device, VIDIOC_S_PARM, &wish);
}

/* v4l2loopback has controls under its own range of ids, with names that are spelled one way or another. */
static int find_control(int device, const char *name, uint32_t *id) {
    for (uint32_t candidate = V4L2_CID_USER_BASE | 0xf000; candidate < (V4L2_CID_USER_BASE | 0xf010); candidate++) {
        struct v4l2_queryctrl found = {.id = candidate};
        if (call(device, VIDIOC_QUERYCTRL, &found) < 0) continue;
        if (strncmp((const char *)found.name, name, sizeof found.name) != 0) continue;
        *id = candidate;
        return 0;
    }
    return -ENOENT;
}

int movie_video_get_control(int device, const char *name, int32_t *value) {
    struct v4l2_control control = {0};
    int result = find_control(device, name, &control.id);
    if (result >= 0) result = call(device, VIDIOC_G_CTRL, &control);
    if (result >= 0) *value = control.value;
    return result;
}

int movie_video_set_control(int device, const char *name, int32_t value) {
    struct v4l2_control control = {.value = value};
    int result = find_control(device, name, &control.id);
    return result < 0 ? result : call(device, VIDIOC_S_CTRL, &control);
}

int movie_video_request(int device, uint32_t count) {
    struct v4l2_requestbuffers wish = {
        .count = count, .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP};
    int result = call(device, VIDIOC_REQBUFS, &wish);
    return result < 0 ? result : (int)wish.count;
}

static int query(int device, uint32_t index, struct v4l2_buffer *buffer) {
    memset(buffer, 0, sizeof *buffer);
    buffer->index = index;
    buffer->type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
    buffer->memory = V4L2_MEMORY_MMAP;
    return call(device, VIDIOC_QUERYBUF, buffer);
}

int movie_video_map(int device, uint32_t index, void **memory, uint64_t *bytes, uint64_t *offset) {
    struct v4l2_buffer buffer;
    int result = query(device, index, &buffer);
    if (result < 0) return result;
    void *mapped = v4l2_mmap(NULL, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED, device, buffer.m.offset);
    if (mapped == MAP_FAILED) return -errno;
    *memory = mapped;
    *bytes = buffer.length;
    *offset = buffer.m.offset;
    return 0;
}

void movie_video_unmap(void *memory, uint64_t bytes) { v4l2_munmap(memory, bytes); }

int movie_video_offset(int device, uint32_t index, uint64_t *offset) {
    struct v4l2_buffer buffer;
    int result = query(device, index, &buffer);
    if (result >= 0) *offset = buffer.m.offset;
    return result;
}

int movie_video_start(int device) {
    int type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
    return call(device, VIDIOC_STREAMON, &type);
}

int movie_video_stop(int device) {
    int type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
    return call(device, VIDIOC_STREAMOFF, &type);
}

int movie_video_queue(int device, uint32_t index, uint32_t bytes, int64_t time) {
    struct v4l2_buffer buffer = {
        .index = index, .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP, .bytesused = bytes,
        .field = V4L2_FIELD_NONE};
    buffer.timestamp.tv_sec = time / 1000000000;
    buffer.timestamp.tv_usec = time % 1000000000 / 1000;
    return call(device, VIDIOC_QBUF, &buffer);
}

int movie_video_watch(int device, uint32_t type) {
    struct v4l2_event_subscription wish = {.type = type, .flags = V4L2_EVENT_SUB_FL_SEND_INITIAL};
    return call(device, VIDIOC_SUBSCRIBE_EVENT, &wish);
}

int movie_video_unwatch(int device, uint32_t type) {
    struct v4l2_event_subscription wish = {.type = type};
    return call(device, VIDIOC_UNSUBSCRIBE_EVENT, &wish);
}

int movie_video_next_event(int device, uint32_t type, uint32_t *payload) {
    struct v4l2_event event;
    memset(&event, 0, sizeof event);
    int result = call(device, VIDIOC_DQEVENT, &event);
    if (result == -ENOENT || result == -EAGAIN) return 0;
    if (result < 0) return result;
    if (event.type != type) return 0;
    memcpy(payload, &event.u, sizeof *payload);
    return 1;
}
