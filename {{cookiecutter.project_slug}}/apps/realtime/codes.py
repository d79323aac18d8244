"""The codes that sockets are closed with."""

# Our own. Browsers must not come back after them.
NOT_LOGGED_IN = 4401
NOT_ALLOWED = 4403
NOT_FOUND = 4404

# Standard ones (RFC 6455 and its registry).
NORMAL_CLOSURE = 1000
UNSUPPORTED_DATA = 1003  # binary where text is expected
NO_CODE = 1005  # never sent: the browser gave none
ABNORMAL_CLOSURE = 1006  # never sent: the connection was lost
POLICY_VIOLATION = 1008  # sent too much; browsers must not come back
MESSAGE_TOO_BIG = 1009
INTERNAL_ERROR = 1011  # a consumer has failed
COME_BACK = 1012  # to be let in anew
TRY_AGAIN_LATER = 1013
