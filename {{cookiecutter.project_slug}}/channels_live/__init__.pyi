# The public API, beside utils.py, testing.py and the template tags.

from .base.close_code import CloseCode as CloseCode
from .base.frames import InvalidFrame as InvalidFrame
from .base.names import user_group as user_group
from .base.threads import in_thread as in_thread
from .commands.publishing import apublish as apublish
from .commands.publishing import publish as publish
from .commands.revoking import disconnect as disconnect
from .commands.revoking import history_changed as history_changed
from .commands.revoking import recheck as recheck
from .consumers import Consumer as Consumer
from .consumers import Refused as Refused
from .delivery.history import Fragment as Fragment
from .delivery.history import History as History
from .handshake.application import websocket_application as websocket_application
from .observe.log_context import LogContext as LogContext
from .presence.people import count_present as count_present
from .presence.people import present as present
from .process import check_channel_layer as check_channel_layer
from .process import is_ending as is_ending

__version__: str
