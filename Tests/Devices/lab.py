"""What the cases of cases.py work with: movied, readers of its devices, and the table of results."""

import os
import re
import signal
import subprocess
import sys
import time

CAMERA = "webcam:platform:vivid-000"
FIRST, SECOND = "/dev/video10", "/dev/video11"
PROGRAM = os.environ["MOVIED_PROGRAM"]
ROUNDS = int(os.environ.get("MOVIED_ROUNDS", "100"))
TICK = os.sysconf("SC_CLK_TCK")
rows = []


def note(case, figure, must, reached):
    """Adds a line to the table: what it is, what it must be, what was measured, whether that is so."""
    rows.append((case, figure, must, reached))
    print(f"    {'ok  ' if reached else 'FAIL'} {case}: {figure} (must: {must})", flush=True)


def say(text):
    print(f"==> {text}", flush=True)


# Rungs of pictures made of a new frame.
NEW = ("edited", "reused", "propagated")


class Daemon:
    """A running movied with a log of its frames."""

    started = 0

    def __init__(self, *arguments, size="320x240", rate="25", source=CAMERA, sinks=(FIRST,)):
        Daemon.started += 1
        self.frames_path = f"/tmp/frames-{Daemon.started}.csv"
        self.log_path = f"/tmp/log-{Daemon.started}.txt"
        command = [PROGRAM, "run", "--source", source, "--prompt", "make it night", "--frame-log", self.frames_path]
        command += ["--size", size, "--framerate", rate, "--threads", "1"]
        for sink in sinks:
            command += ["--sink", f"loopback:{sink}"]
        self.launched = time.monotonic()
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(command + list(arguments), stdout=log, stderr=log)

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def frames(self):
        """(number, published s, rung) of every frame so far."""
        try:
            with open(self.frames_path) as file:
                lines = file.read().split("\n")[1:-1]
        except FileNotFoundError:
            return []
        cells = [line.split(",") for line in lines]
        return [(int(cell[1]), float(cell[3]) / 1000, cell[4], float(cell[5])) for cell in cells if len(cell) >= 7]

    def wait(self, done, seconds):
        """Waits until done(frames); gives whether it came to that."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if done(self.frames()):
                return True
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        print(self.log[-1500:], flush=True)
        return False

    def wait_frames(self, count=5, seconds=40):
        return self.wait(lambda frames: len(frames) >= count, seconds)

    def wait_edited(self, since=0.0, seconds=20):
        return self.wait(lambda frames: any(f[2] in NEW and f[1] > since for f in frames), seconds)

    def files(self):
        folder = f"/proc/{self.pid}/fd"
        links = []
        for name in os.listdir(folder):
            try:
                links.append(os.readlink(f"{folder}/{name}"))
            except OSError:
                pass
        return links

    def has_camera(self):
        return any(re.fullmatch(r"/dev/video[0-9]", link) for link in self.files())

    def memory(self):
        """Resident MiB."""
        with open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Reader:
    """v4l2-ctl, which reads frames and writes down their times."""

    def __init__(self, device=FIRST, count=0, seconds=60):
        self.path = f"/tmp/reader-{time.monotonic_ns()}.txt"
        command = ["timeout", str(seconds), "v4l2-ctl", "-d", device, "--stream-mmap", "--verbose"]
        if count:
            command.append(f"--stream-count={count}")
        with open(self.path, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def stamps(self):
        with open(self.path, errors="replace") as file:
            return [float(number) for number in re.findall(r"ts: ([0-9.]+)", file.read())]

    def text(self):
        with open(self.path, errors="replace") as file:
            return file.read()

    def wait(self):
        return self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def run(*command, seconds=60):
    """Exit status and all output of a command."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        return 124, (error.stdout or b"").decode(errors="replace")


def decoded(device, count):
    """Frames that ffmpeg decodes, their checksums, and what it complains of."""
    status, text = run(
        "ffmpeg", "-v", "error", "-f", "v4l2", "-i", device, "-frames:v", str(count), "-f", "framemd5", "-", seconds=90)
    sums = [line.split(",")[-1].strip() for line in text.split("\n") if line.startswith("0,")]
    return status, sums, [line for line in text.split("\n") if "error" in line.lower() or "corrupt" in line.lower()]


def finish():
    """Prints the table; gives the exit status."""
    print()
    width = max((len(row[0]) for row in rows), default=0)
    for case, figure, must, reached in rows:
        print(f"{'    ' if reached else 'FAIL'} {case:<{width}}  {figure}  (must: {must})")
    failed = sum(not row[3] for row in rows)
    print(f"\n{len(rows)} figures, {failed} not as they must be", flush=True)
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit("lab.py is used by cases.py")
