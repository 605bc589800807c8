#!/usr/bin/python3
"""An RTSP server for tests: /camera plays a test picture, /edited takes a recording. Prints its port, then "frames N"
when N frames have been recorded, and ends."""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CAMERA = ("( videotestsrc is-live=true ! video/x-raw,width=96,height=64,framerate=20/1 ! x264enc tune=zerolatency "
          "speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96 config-interval=1 )")
RECORDER = "( rtph264depay name=depay0 ! h264parse ! avdec_h264 ! identity name=count signal-handoffs=true ! fakesink )"


def main():
    """Serves until enough has been recorded."""
    wanted = int(sys.argv[1])
    Gst.init(None)
    loop, frames = GLib.MainLoop(), [0]

    def count(*_):
        frames[0] += 1
        if frames[0] == wanted:
            print(f"frames {wanted}", flush=True)
            GLib.idle_add(loop.quit)

    def configure(_, media):
        media.get_element().get_by_name("count").connect("handoff", count)

    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service("0")
    camera, recorder = GstRtspServer.RTSPMediaFactory.new(), GstRtspServer.RTSPMediaFactory.new()
    camera.set_launch(CAMERA)
    recorder.set_launch(RECORDER)
    recorder.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    recorder.connect("media-configure", configure)
    server.get_mount_points().add_factory("/camera", camera)
    server.get_mount_points().add_factory("/edited", recorder)
    server.attach(None)
    print(f"port {server.get_bound_port()}", flush=True)
    GLib.timeout_add_seconds(40, loop.quit)
    loop.run()


main()
