"""movied on a real camera driver and real loopback devices; run by Scripts/test-devices in its guest."""

import os
import subprocess
import sys
import time
import traceback

from lab import (CAMERA, FIRST, NEW, PROGRAM, ROUNDS, SECOND, Daemon, Reader, decoded, finish, note, processor_seconds, run,
                 say)


def devices():
    status, text = run(PROGRAM, "devices")
    note("devices", text.split("\n")[0], "the camera", status == 0 and "/dev/video0  camera: vivid" in text)
    note("devices", "YUYV 640x480 (25, ...)", "listed", "640x480 (25," in text)
    note("devices", "/dev/video10 loopback", "listed", "/dev/video10  loopback: movied" in text)


def format():
    daemon = Daemon(size="512x384")
    daemon.wait_edited(seconds=40)
    _, text = run("v4l2-ctl", "-d", FIRST, "--all")
    note("format", "512/384 'YU12'", "512x384 I420", "512/384" in text and "'YU12'" in text and "Video Capture" in text)
    begin, frames = time.monotonic(), len(daemon.frames())
    reader = Reader(count=250)
    status = reader.wait()
    seconds = time.monotonic() - begin
    # v4l2loopback 0.12 stamps what it holds anew when a reader comes: the first time is that of the question.
    stamps = reader.stamps()[1:]
    gaps = [round((b - a) * 1e6) for a, b in zip(stamps, stamps[1:])]
    note("format", f"{len(stamps) + 1} frames read", "250", status == 0 and len(stamps) >= 249)
    uneven = [gap for gap in gaps if abs(gap % 40000) > 2 and abs(gap % 40000 - 40000) > 2]
    note("format", f"{len(uneven)} of {len(gaps)} timestamps off the grid of 40 ms", "none", gaps and not uneven)
    missed = sum(round(gap / 40000) - 1 for gap in gaps)
    note("format", f"{missed} frames between that the reader did not get", "at most 2 %", missed <= len(gaps) / 50)
    new = daemon.frames()[frames:]
    rate = (len(new) - 1) / (new[-1][1] - new[0][1])
    edited = sum(frame[2] in NEW for frame in new) / (new[-1][1] - new[0][1])
    note("format", f"{rate:.2f} fps out, {edited:.1f} of them of new frames ({seconds:.0f} s)", "25.0", abs(rate - 25) < 0.25)
    status, sums, errors = decoded(FIRST, 50)
    note("format", f"ffmpeg decodes {len(sums)}, {len(set(sums))} different", "50 without errors",
         status == 0 and len(sums) == 50 and not errors)
    note("format", f"movied ends with status {daemon.stop()}", "0", daemon.process.returncode == 0)
    for name in ["YUY2", "NV12", "RGB"]:
        daemon = Daemon(sinks=[f"{FIRST},format={name}"])
        daemon.wait_frames()
        status, sums, errors = decoded(FIRST, 10)
        note("format", f"{name}: ffmpeg decodes {len(sums)}", "10", status == 0 and len(sums) == 10 and not errors)
        daemon.stop()


def readers():
    daemon = Daemon(sinks=[FIRST, SECOND])
    daemon.wait_edited(seconds=40)
    Reader(count=5).wait()
    files, memory, errors = len(daemon.files()), 0.0, 0
    for number in range(ROUNDS):
        reader = Reader(count=3)
        if reader.wait() != 0 or len(reader.stamps()) < 3:
            errors += 1
        if number == ROUNDS // 5:
            memory = daemon.memory()
    note("readers", f"{ROUNDS} times opened and closed, {errors} errors", "none", errors == 0)
    grown = daemon.memory() - memory
    note("readers", f"{len(daemon.files()) - files:+d} open files, {grown:+.1f} MiB", "no more files, under 2 MiB",
         len(daemon.files()) <= files and grown < 2)
    both = [Reader(device, count=100) for device in (FIRST, SECOND)]
    statuses = [reader.wait() for reader in both]
    counts = [len(reader.stamps()) for reader in both]
    note("readers", f"two devices at once: {counts} frames", "100 each", statuses == [0, 0] and min(counts) >= 100)
    daemon.stop()


def unplugging():
    driver, slowest, missing = "/sys/bus/platform/drivers/vivid", 0.0, 0
    daemon = Daemon()
    daemon.wait_edited(seconds=40)
    reader = Reader(seconds=1200)
    for _ in range(ROUNDS):
        put(f"{driver}/unbind", "vivid.0")
        time.sleep(0.3)
        back = time.monotonic()
        put(f"{driver}/bind", "vivid.0")
        if daemon.wait_edited(since=back, seconds=15):
            first = next(f for f in daemon.frames() if f[2] in NEW and f[1] > back)
            slowest = max(slowest, first[1] - back)
        else:
            missing += 1
    note("unplugging", f"{ROUNDS} times away and back; edited again after {slowest:.2f} s at most, {missing} never",
         "2 s", slowest <= 2 and missing == 0)
    frames = daemon.frames()
    gaps = [b[1] - a[1] for a, b in zip(frames, frames[1:])]
    numbers = [frame[0] for frame in frames]
    note("unplugging", f"longest pause of the output {max(gaps) * 1000:.0f} ms", "never interrupted (200 ms)",
         max(gaps) < 0.2 and numbers == list(range(numbers[0], numbers[0] + len(numbers))))
    note("unplugging", f"the reader got {len(reader.stamps())} of {len(frames)}", "goes on",
         reader.process.poll() is None and len(reader.stamps()) > 10)
    reader.stop()
    daemon.stop()


def put(path, text):
    with open(path, "w") as file:
        file.write(text)


def killing():
    daemon = Daemon()
    daemon.wait_edited(seconds=40)
    reader = Reader(seconds=120)
    time.sleep(3)
    _, before = run("v4l2-ctl", "-d", FIRST, "--get-fmt-video")
    daemon.kill()
    stopped = len(reader.stamps())
    again = Daemon()
    deadline = time.monotonic() + 40
    while len(reader.stamps()) <= stopped and time.monotonic() < deadline and reader.process.poll() is None:
        time.sleep(0.02)
    seconds = time.monotonic() - again.launched
    seen = len(reader.stamps()) > stopped
    _, after = run("v4l2-ctl", "-d", FIRST, "--get-fmt-video")
    note("killing", f"the reader sees frames {seconds:.2f} s after the restart" if seen else "no frame",
         "2 s", seen and seconds <= 2)
    note("killing", "the same format", "the same", before == after)
    reader.stop()
    again.stop()


def idle():
    daemon = Daemon()
    daemon.wait_edited(seconds=40)
    reader = Reader(count=25)
    reader.wait()
    left, limit = time.monotonic(), 10
    while daemon.has_camera() and time.monotonic() < left + limit:
        time.sleep(0.05)
    closed = time.monotonic() - left
    note("idle", f"camera closed {closed:.1f} s after the last reader", "5 s", closed <= 5)
    time.sleep(2)
    before, begin, count = processor_seconds(daemon.pid), time.monotonic(), len(daemon.frames())
    time.sleep(20)
    seconds = time.monotonic() - begin
    share = 100 * (processor_seconds(daemon.pid) - before) / seconds
    rate = (len(daemon.frames()) - count) / seconds
    note("idle", f"{share:.2f} % of one core", "under 1 %", share < 1)
    note("idle", f"{rate:.1f} placeholders a second", "10 or more", rate >= 10)
    slowest = 0.0
    for _ in range(5):
        opened = time.monotonic()
        file = os.open(FIRST, os.O_RDWR)
        daemon.wait_edited(since=opened, seconds=10)
        first = next((f[1] for f in daemon.frames() if f[2] in NEW and f[1] > opened), opened + 99)
        slowest = max(slowest, first - opened)
        os.close(file)
        while daemon.has_camera() and time.monotonic() < opened + 15:
            time.sleep(0.1)
    note("idle", f"edited {slowest * 1000:.0f} ms after a reader opened the device, the slowest of 5", "500 ms",
         slowest <= 0.5)
    daemon.stop()


def refusals():
    def refused(*words, source=CAMERA, sink=FIRST, more=()):
        status, text = run(PROGRAM, "run", "--source", source, "--sink", f"loopback:{sink}", "--prompt", "x", "--size",
                           "320x240", *more, seconds=30)
        said = [line for line in text.split("\n") if line.startswith("movied: ")]
        good = status == 1 and said and all(word in said[-1] for word in words)
        note("refusals", (said[-1] if said else text[-100:])[8:150], " ".join(words), good)

    refused("no camera at '/dev/video9'", "/dev/video0 (vivid)", source="webcam:/dev/video9")
    refused("no camera called 'Logi'", "platform:vivid-000", source="webcam:Logi")
    refused("without a writer", source=f"webcam:{FIRST}")
    refused("has no mode", "640x480", source=f"{CAMERA},size=800x600")
    refused("no loopback device at '/dev/video77'", "modprobe", sink="/dev/video77")
    refused("not a loopback device", "/dev/video10", sink="/dev/video0")
    daemon = Daemon()
    daemon.wait_edited(seconds=40)
    reader = Reader()
    time.sleep(2)
    refused("busy", "vivid", sink=SECOND)
    refused("busy", FIRST, source="test:ball")
    reader.stop()
    daemon.stop()
    os.chmod("/dev/video0", 0o660)
    status, text = run("setpriv", "--reuid=65534", "--clear-groups", PROGRAM, "devices")
    note("refusals", "without permission: " + (text.split("usermod")[-1].split(",")[0].strip() or "nothing"), "usermod -aG",
         "usermod -aG" in text)


def latency():
    gst = ["gst-launch-1.0", "v4l2src", "device=/dev/video0", "!", "video/x-raw,format=YUY2,width=640,height=480,"
           "framerate=25/1", "!", "videoconvert", "!", "video/x-raw,format=I420", "!", "v4l2sink", f"device={FIRST}"]
    environment = dict(os.environ, GST_TRACERS="latency(flags=pipeline)", GST_DEBUG="GST_TRACER:7",
                       GST_DEBUG_FILE="/tmp/tracer.txt", GST_DEBUG_NO_COLOR="1")
    plain = subprocess.Popen(gst, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    time.sleep(12)
    before, begin = processor_seconds(plain.pid), time.monotonic()
    time.sleep(15)
    plain_share = (processor_seconds(plain.pid) - before) / (time.monotonic() - begin)
    plain.terminate()
    plain.wait()
    with open("/tmp/tracer.txt", errors="replace") as file:
        times = sorted(int(line.split("time=(guint64)")[1].split(",")[0]) for line in file
                       if "latency, src-element" in line and "%" not in line)
    plain_latency = times[len(times) // 2] / 1e6 if times else 0.0
    bench = os.path.join(os.path.dirname(PROGRAM), "movie-bench")
    if not os.access(bench, os.X_OK):
        return say(f"latency is left out: there is no {bench}")
    own = subprocess.Popen([bench, "camera", "--source", CAMERA, "--sink", f"loopback:{FIRST}", "--size", "640x480",
                            "--rate", "25", "--seconds", "30"], stdout=subprocess.PIPE, text=True)
    time.sleep(12)
    file = os.open(FIRST, os.O_RDWR)
    before, begin = processor_seconds(own.pid), time.monotonic()
    time.sleep(15)
    own_share = (processor_seconds(own.pid) - before) / (time.monotonic() - begin)
    os.close(file)
    figures = dict(line.split(" ", 1) for line in own.communicate()[0].split("\n") if " " in line)
    own_latency = float(figures.get("age_p50_ms", "999"))
    note("latency", f"{own_latency:.1f} ms from capture to publication; gst-launch {plain_latency:.1f} ms",
         "5 ms more", own_latency - plain_latency < 5)
    note("latency", f"{100 * own_share:.0f} % of a core; gst-launch {100 * plain_share:.0f} %", "1.1 times",
         own_share <= 1.1 * plain_share)


CASES = [devices, refusals, format, readers, idle, killing, unplugging, latency]


def main():
    wanted = os.environ.get("MOVIED_CASES", "all").split(",")
    for case in CASES:
        if wanted != ["all"] and case.__name__ not in wanted:
            continue
        say(case.__name__)
        try:
            case()
        except Exception:
            traceback.print_exc()
            note(case.__name__, "the case broke off", "an end", False)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
