#ifndef CVIDEO_H
#define CVIDEO_H
/* Video devices of Linux (V4L2) through libv4l2, as far as movied needs them: Swift can call neither the variadic ioctl nor
   the unions of its structs. Functions that return an int give 0 or more for success and -errno for failure. */

#include <stdint.h>

enum { MOVIE_VIDEO_CAPTURE = 1, MOVIE_VIDEO_OUTPUT = 2, MOVIE_VIDEO_STREAMING = 4 };

/* Who a device says it is. Texts end with 0. */
typedef struct {
    char driver[32];
    char card[64];
    char bus[64];
    /* MOVIE_VIDEO_..., of this device node. */
    uint32_t abilities;
} movie_video_identity;

/* A picture as a device moves it. `bytes` is the size of a whole picture, `stride` that of a row of the first plane. */
typedef struct {
    uint32_t fourcc, width, height, stride, bytes;
} movie_video_format;

/* Alternatives of a size or rate: discrete ones have steps of 0 and equal ends. */
typedef struct {
    uint32_t width, height, last_width, last_height;
} movie_video_size;

/* Frames a second as a fraction: the quickest that is offered. */
typedef struct {
    uint32_t numerator, denominator;
} movie_video_rate;

/* Opens a device; it is read or written without ever waiting. Gives a file descriptor; -EBUSY where one of this project's
   programs writes to it already. */
int movie_video_open(const char *path, int writes);
void movie_video_close(int device);
int movie_video_identify(int device, movie_video_identity *identity);
/* Whether some process streams from a camera: 1 if so. Asks for buffers and gives them back; changes nothing else. */
int movie_video_is_busy(int device);

/* The index-th pixel format that a camera (or, with `output`, an output) offers. */
int movie_video_list_format(int device, int output, uint32_t index, uint32_t *fourcc);
int movie_video_list_size(int device, uint32_t fourcc, uint32_t index, movie_video_size *size);
int movie_video_list_rate(
    int device, uint32_t fourcc, uint32_t width, uint32_t height, uint32_t index, movie_video_rate *rate);

/* The format in which an output is written. Setting asks for `format` and gives what the device made of it. */
int movie_video_get_output(int device, movie_video_format *format);
int movie_video_set_output(int device, movie_video_format *format);
int movie_video_set_output_rate(int device, uint32_t numerator, uint32_t denominator);

/* The same for a camera, and its buffers, which hold pictures in memory that the device shares. `take` waits at most so long
   for a picture; it gives 1, and the buffer with its bytes and its time in nanoseconds of the monotonic clock (0 where the
   driver tells another time), or 0 when none came. A buffer that was taken is given back by `return`. */
int movie_video_set_capture(int device, movie_video_format *format);
int movie_video_set_capture_rate(int device, uint32_t numerator, uint32_t denominator);
int movie_video_request_capture(int device, uint32_t count);
int movie_video_map_capture(int device, uint32_t index, void **memory, uint64_t *bytes);
int movie_video_return(int device, uint32_t index);
int movie_video_start_capture(int device);
int movie_video_stop_capture(int device);
int movie_video_take(int device, int milliseconds, uint32_t *index, uint32_t *bytes, int64_t *time);

/* Controls by name, for example "keep_format". */
int movie_video_get_control(int device, const char *name, int32_t *value);
int movie_video_set_control(int device, const char *name, int32_t value);

/* Buffers of an output, which lie in memory that the device shares. `request` gives how many there are. */
int movie_video_request(int device, uint32_t count);
int movie_video_map(int device, uint32_t index, void **memory, uint64_t *bytes, uint64_t *offset);
void movie_video_unmap(void *memory, uint64_t bytes);
/* Where buffer `index` lies now: v4l2loopback 0.12 uses fewer buffers as soon as a reader asks for fewer. */
int movie_video_offset(int device, uint32_t index, uint64_t *offset);
int movie_video_start(int device);
int movie_video_stop(int device);
/* Hands over a written buffer with its time in nanoseconds of the monotonic clock. Never waits. */
int movie_video_queue(int device, uint32_t index, uint32_t bytes, int64_t time);

/* Events: `watch` asks to be told, and to be told the present state too; `next_event` gives 1 and an event of the type with
   the first four bytes of its payload, or 0 when none waits. */
int movie_video_watch(int device, uint32_t type);
int movie_video_unwatch(int device, uint32_t type);
int movie_video_next_event(int device, uint32_t type, uint32_t *payload);

#endif
