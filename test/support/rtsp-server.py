"""An RTSP server of others (GStreamer's): a test picture that moves, encoded live.

rtsp-server.py PORT CODEC WIDTH HEIGHT FPS PROTOCOL [USER PASSWORD]
CODEC is h264, h265 or mjpeg; PROTOCOL is tcp, udp or both; with a user, digest authentication is asked for.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

port, codec, width, height, fps, protocol = sys.argv[1:7]
login = sys.argv[7:9]

encoders = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=%s ! rtph264pay name=pay0 pt=96 config-interval=1",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=%s ! rtph265pay name=pay0 pt=96 config-interval=1",
    "mjpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
}
encoder = encoders[codec]
if "%s" in encoder:
    encoder = encoder % fps

Gst.init(None)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=%s,height=%s,framerate=%s/1 ! %s )"
    % (width, height, fps, encoder)
)
factory.set_shared(True)
wanted = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}
factory.set_protocols(wanted.get(protocol, GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP))

server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
server.get_mount_points().add_factory("/stream", factory)
if login:
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(login[0], login[1], token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)
if server.attach(None) == 0:
    sys.exit("the port %s is taken" % port)
print("serving", flush=True)
GLib.MainLoop().run()
