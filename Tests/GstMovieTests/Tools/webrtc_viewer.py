#!/usr/bin/python3
"""Looks at the recipe Pipelines/webrtc as a browser does: webrtc_viewer.py URL FRAMES. Prints "frames N WIDTHxHEIGHT" when
so many pictures have been decoded."""

import sys
import threading
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402


replies = []


def wait(peer, action, argument, result=None):
    """Does what GStreamer does in the background, waits for it, and returns the description that its reply has."""
    promise = Gst.Promise.new()
    peer.emit(action, argument, promise)
    promise.wait()
    if result is None:
        return None
    reply = promise.get_reply()
    replies.append((promise, reply))  # the description points into the reply, which lives as long as its promise
    return reply.get_value(result)


def main():
    """Connects and counts."""
    url, wanted = sys.argv[1], int(sys.argv[2])
    Gst.init(None)
    pipeline = Gst.Pipeline.new()
    peer = Gst.ElementFactory.make("webrtcbin")
    pipeline.add(peer)
    seen, done, gathered = [], threading.Event(), threading.Event()

    def handoff(_, buffer, pad):
        seen.append(pad.get_current_caps().get_structure(0))
        if len(seen) == wanted:
            done.set()

    def add_pad(_, pad):
        end = Gst.parse_bin_from_description(
            "rtpvp8depay ! vp8dec ! fakesink name=sink sync=false signal-handoffs=true", True)
        end.get_by_name("sink").connect("handoff", handoff)
        pipeline.add(end)
        end.sync_state_with_parent()
        pad.link(end.get_static_pad("sink"))

    peer.connect("pad-added", add_pad)
    peer.connect("notify::ice-gathering-state", lambda *_: peer.get_property(
        "ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE and gathered.set())
    pipeline.set_state(Gst.State.PLAYING)
    caps = Gst.Caps.from_string("application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96")
    peer.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, caps)
    offer = wait(peer, "create-offer", None, "offer")
    wait(peer, "set-local-description", offer)
    gathered.wait(10)
    body = peer.get_property("local-description").sdp.as_text().encode()
    with urllib.request.urlopen(url + "/offer", data=body, timeout=20) as reply:
        _, message = GstSdp.SDPMessage.new_from_text(reply.read().decode())
    answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
    wait(peer, "set-remote-description", answer)
    if not done.wait(20):
        sys.exit(f"webrtc_viewer: {len(seen)} of {wanted} frames came")
    print(f"frames {wanted} {seen[0].get_value('width')}x{seen[0].get_value('height')}", flush=True)
    pipeline.set_state(Gst.State.NULL)


main()
