"""Live pages for Django. What projects import from here is in __init__.pyi.

It is loaded when it is first used, for settings and apps are loaded before models are.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
