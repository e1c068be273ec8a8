#!/bin/sh
exec "$ZIG_PYTHON" -m ziglang ar "$@"
