"""Every error Mien raises on purpose, and what becomes of the work that met it.

::

    MienError
    ├── TransientError      the same work may succeed later: retry with backoff, keep the input
    ├── PermanentError      the input itself is wrong: dead letter with the reason, go on
    │   └── ContractError   bytes that don't follow the contract of their topic
    └── SettingsError       the process was started wrongly: say what is expected, exit

Anything else that is raised is a defect: it ends the process, and its supervisor starts it again.
"""


class MienError(Exception):
    """Base of all errors that Mien raises on purpose."""


class TransientError(MienError):
    """A neighbour did not answer, or was too busy; the same request may succeed later."""


class PermanentError(MienError):
    """The input can never succeed; retrying it would only block what comes after."""


class ContractError(PermanentError):
    """A message does not follow the contract of its topic."""


class SettingsError(MienError):
    """The settings of a process are wrong; the message names the variable and what it expects."""
