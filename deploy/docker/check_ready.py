"""The health check of every image: ends with 0 when the service in this container is ready."""

import sys
from urllib.error import URLError
from urllib.request import urlopen

try:
    with urlopen("http://127.0.0.1:9101/ready", timeout=2):
        pass
except URLError as error:
    sys.exit(f"not ready: {error}")
