# Read by ./dev: words for the person, and the versions of the two toolchains. POSIX sh.
# shellcheck shell=sh

started=$(date +%s)

# say TEXT: one line of progress with the time since ./dev started.
say() {
    elapsed=$(($(date +%s) - started))
    printf '[%2d:%02d] %s\n' $((elapsed / 60)) $((elapsed % 60)) "$*" >&2
}

# stop TEXT...: one line for each argument, then the end.
stop() {
    printf './dev: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# at_least FOUND WANTED: compares dotted version numbers.
at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$2" ]
}

# The version is the workspace's own `rust-version`, so it is written down once.
require_rust() {
    if ! have cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH=$HOME/.cargo/bin:$PATH
    fi
    wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    if ! have cargo || ! have rustc; then
        stop "Rust $wanted or newer is needed and was not found." \
            "Install it with rustup (https://rustup.rs), open a new terminal, and run this again."
    fi
    found=$(rustc --version | cut -d' ' -f2 | cut -d- -f1)
    at_least "$found" "$wanted" || stop "Rust $wanted or newer is needed; this is $found." \
        "Run: rustup update stable"
}

# The version is ui/package.json's own `engines.node`.
require_node() {
    wanted=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' ui/package.json)
    if ! have node || ! have npm; then
        stop "Node.js $wanted or newer, with npm, is needed and was not found." \
            "Install it from https://nodejs.org, open a new terminal, and run this again."
    fi
    found=$(node --version | tr -d v)
    at_least "$found" "$wanted" || stop "Node.js $wanted or newer is needed; this is $found."
}

# headless COMMAND...: runs it on a display, a session bus, a home and a runtime folder of its own,
# so that it neither sees nor touches the desktop of whoever runs it.
headless() (
    home=$(mktemp -d)
    # A program that is still ending may hold on to a file; that must not fail the run.
    trap 'rm -rf "$home" || true' EXIT
    mkdir -m 700 "$home/runtime"
    unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME
    HOME=$home XDG_RUNTIME_DIR=$home/runtime GDK_BACKEND=x11 NO_AT_BRIDGE=1 \
        xvfb-run -a -s '-screen 0 1280x1024x24 -nolisten tcp' dbus-run-session -- "$@"
)
