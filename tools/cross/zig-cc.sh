#!/bin/sh
# A C compiler for macOS out of zig, taking the arguments that the cc crate gives Apple's clang.
# Objective-C needs Apple's headers, so an empty file stands in: that code is not checked.
set -eu
skip=
for argument in "$@"; do
    shift
    if [ -n "$skip" ]; then
        skip=
        continue
    fi
    case $argument in
        -target | -arch | -isysroot) skip=1 ;;
        --target=* | -mmacosx-version-min=* | -fobjc-* | -fmodules) ;;
        *.m | *.mm) set -- "$@" "$EMPTY_C" ;;
        *) set -- "$@" "$argument" ;;
    esac
done
exec "$ZIG_PYTHON" -m ziglang "${ZIG_DRIVER:-cc}" -target aarch64-macos -fno-sanitize=all "$@"
