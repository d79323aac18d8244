"""Says once what is wrong with the project, however often it happens."""

import logging
from functools import lru_cache

logger = logging.getLogger(__name__)


@lru_cache(maxsize=100)
def complain(sentence: str, *details: str, level: int = logging.ERROR) -> None:
    """Log a mistake in the use of this library, once."""
    logger.log(level, sentence, *details)
