# The public API, beside utils.py, testing.py and the template tags.

from .base.close_code import CloseCode as CloseCode
from .base.close_code import Refused as Refused
from .base.frames import InvalidFrame as InvalidFrame
from .base.messages import group_name as group_name
from .base.messages import key_of as key_of
from .base.messages import user_group as user_group
from .base.threads import in_thread as in_thread
from .commands import apublish as apublish
from .commands import apublish_event as apublish_event
from .commands import check_channel_layer as check_channel_layer
from .commands import disconnect as disconnect
from .commands import history_changed as history_changed
from .commands import publish as publish
from .commands import publish_event as publish_event
from .commands import recheck as recheck
from .consumers import Consumer as Consumer
from .consumers import JsonConsumer as JsonConsumer
from .delivery.fragments import Event as Event
from .delivery.fragments import Fragment as Fragment
from .delivery.fragments import History as History
from .delivery.group import CATCH_UP as CATCH_UP
from .handshake.application import explain_refusals as explain_refusals
from .handshake.application import websocket_application as websocket_application
from .handshake.authentication import session_login as session_login
from .handshake.origin import any_origin as any_origin
from .handshake.origin import same_origin as same_origin
from .handshake.tickets import ticket_for as ticket_for
from .handshake.tickets import ticket_login as ticket_login
from .handshake.tickets import ticket_view as ticket_view
from .live.region import Live as Live
from .live_consumer import LiveConsumer as LiveConsumer
from .observe.log_context import LogContext as LogContext
from .observe.outage import Outage as Outage
from .presence import count_present as count_present
from .presence import present as present
from .process import is_ending as is_ending

__version__: str
