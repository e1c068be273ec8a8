# Read by ./dev: signatures and TwiML held against Twilio's own packages. POSIX sh.
# shellcheck shell=sh

cross_check() {
    require_rust
    require_node
    need build cross-check
    install_npm tools/cross-check "Twilio's own"
    twilio_python
    say "holding signatures and TwiML against Twilio's packages for Python and Node"
    TWILIO_PYTHON=$(pwd)/.dev/twilio-python/bin/python \
        cargo test --locked --quiet -p dialer-twilio --test main official -- --ignored
}

twilio_python() {
    wanted=$(sha256 tools/cross-check/requirements.txt)
    [ "$(cat .dev/twilio-python/installed-from 2>/dev/null)" = "$wanted" ] && return
    say "installing Twilio's Python package into .dev/twilio-python"
    rm -rf .dev/twilio-python
    mkdir -p .dev
    python3 -m venv .dev/twilio-python
    .dev/twilio-python/bin/pip install --quiet --disable-pip-version-check -r tools/cross-check/requirements.txt
    printf '%s\n' "$wanted" >.dev/twilio-python/installed-from
}
