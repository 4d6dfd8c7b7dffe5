"""Logs are events: a dotted, past-tense name and fields, one line each."""

import logging
import sys

import structlog

from mien.runtime.settings import LogSettings

# Local variables of a traceback may hold a password, a face or an embedding.
_WITHOUT_LOCALS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure_logging(settings: LogSettings, *, service: str, instance: str) -> None:
    """Send structlog and the standard library's loggers to standard error in one format."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = settings.format == "console"
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
        if console
        else structlog.processors.JSONRenderer(sort_keys=False)
    )
    finish = [] if console else [_WITHOUT_LOCALS]
    structlog.configure(
        processors=[*shared, *finish, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    if not console:
        structlog.contextvars.bind_contextvars(service=service, instance=instance)
    stdlib = logging.StreamHandler(sys.stderr)
    stdlib.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish, renderer],
        )
    )
    # Libraries speak up only when something is wrong; aiokafka alone would write a page per rebalance.
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[stdlib], force=True)
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_is_unexpected)


def _is_unexpected(record: logging.LogRecord) -> bool:
    # On a new broker the first group waits a moment for its coordinator; aiokafka asks again by itself.
    return "GroupCoordinatorNotAvailableError" not in record.getMessage()
