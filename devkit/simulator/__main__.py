# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""python -m devkit.simulator --port 0 --port-file FILE"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from .server import serve


async def _until_stopped(options: argparse.Namespace) -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, task.cancel)
    await serve(options.port, options.seed, options.port_file)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m devkit.simulator",
        description="A stand-in for Meta's WhatsApp Cloud API, on loopback.",
    )
    parser.add_argument("--port", type=int, default=8099, help="0: any free port")
    parser.add_argument("--port-file", type=Path, help="where to write the port")
    parser.add_argument("--seed", help="makes the generated ids repeatable")
    try:
        asyncio.run(_until_stopped(parser.parse_args()))
    except asyncio.CancelledError:
        return 0
    except OSError as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
