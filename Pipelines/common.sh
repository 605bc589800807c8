# Sourced by the recipes beside it.
# shellcheck shell=bash
#
# CAMERA   a V4L2 device; default /dev/video0
# PROMPT   what to change; default "make it a pencil drawing"
# SIZE     of the edited picture, even; small by default, because every frame is computed on the CPU
# SOURCE   gst-launch text in the camera's place, for example SOURCE="videotestsrc is-live=true"
# MODEL    a model folder; default the bundled one

set -euo pipefail

# Built here, unless GST_PLUGIN_PATH says where libgstmovie.so is, or it is installed.
export GST_PLUGIN_PATH=${GST_PLUGIN_PATH:-$(dirname "${BASH_SOURCE[0]}")/../.build/release}

prompt=${PROMPT:-make it a pencil drawing}
size=${SIZE:-320x240}

# gst-launch text becomes words: `read -ra words <<<"$text"`.
# shellcheck disable=SC2034 # the recipes use them
{
    read -ra source <<<"${SOURCE:-v4l2src device=${CAMERA:-/dev/video0}}"
    scale=(decodebin ! videoconvert ! videoscale ! "video/x-raw,width=${size%x*},height=${size#*x},pixel-aspect-ratio=1/1")
    edit=(movieedit "prompt=$prompt")
    [[ -z ${MODEL:-} ]] || edit+=("model=$MODEL")
    # Live: a frame that cannot be edited in time shows the last one again, and what waits is the newest.
    newest=(queue max-size-buffers=1 max-size-bytes=0 max-size-time=0 leaky=downstream)
}
