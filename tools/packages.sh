# Read by ./dev: the system packages each kind of work needs, by their Debian and Ubuntu names. POSIX sh.
# shellcheck shell=sh

# packages_for GROUP
packages_for() {
    case $1 in
        # A C compiler for aws-lc and SQLite, cmake for Opus, ALSA headers for cpal, WebKitGTK for Tauri.
        build) echo build-essential ca-certificates cmake libasound2-dev libwebkit2gtk-4.1-dev pkg-config ;;
        # Loaded while running, so no linker asks for them: the page's ring tone.
        run) echo gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-pulseaudio ;;
        # A display and a session bus of our own.
        headless) echo dbus xauth xvfb ;;
        # WebDriver for the real window, Chromium for the same page in a browser, a sound server and a
        # keychain of the tests' own, a hand that types its password, the other side of tunnels (nginx,
        # sshd), the proxy of deploy/, and `kill`.
        test)
            echo caddy chromium gnome-keyring nginx-light openssh-client openssh-server procps pulseaudio \
                pulseaudio-utils sox webkit2gtk-driver xdotool
            ;;
        check) echo shellcheck ;;
        cross-check) echo python3 python3-venv ;;
        # Debian's newest compiler with the sources of its standard library (tools/cross/cross.sh).
        cross) echo cargo-web rust-web-clippy rust-web-src rustc-web ;;
        windows) echo g++-mingw-w64-x86-64-win32 gcc-mingw-w64-x86-64-win32 nasm ;;
        wine) echo wine wine64 ;;
        macos) echo python3 python3-venv ;;
    esac
}

# need GROUP...: installs the packages that are missing.
need() {
    wanted=$(for group in "$@"; do packages_for "$group"; done | tr '\n' ' ')
    if ! have dpkg-query || ! have apt-get; then
        elsewhere "$@"
        return
    fi
    # shellcheck disable=SC2086 # package names are words
    installed=$(dpkg-query --show --showformat='${Package} ${db:Status-Status}\n' $wanted 2>/dev/null \
        | sed -n 's/ installed$//p' || true)
    missing=
    for package in $wanted; do
        printf '%s\n' "$installed" | grep -qxF "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    root=
    if [ "$(id -u)" -ne 0 ]; then
        have sudo || stop "these packages are missing, and there is no sudo to install them with:" "$missing" \
            "As root, run: apt-get install --no-install-recommends$missing"
        root=sudo
    fi
    say "installing:$missing"
    mkdir -p .dev
    # A bare machine has no package lists, and old ones name files that are gone.
    # shellcheck disable=SC2086
    if ! { $root apt-get update \
        && $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            -o DPkg::Lock::Timeout=600 $missing; } </dev/null >.dev/apt.log 2>&1; then
        tail -n 20 .dev/apt.log >&2
        stop "apt-get could not install them; above is the end of .dev/apt.log."
    fi
    keep_stopped
}

# Debian starts servers as it installs them, now and at every boot. The tests start their own; a
# computer that had no ssh or web server before must have none running after.
keep_stopped() {
    have systemctl && [ -d /run/systemd/system ] || return 0
    for server in caddy:caddy openssh-server:ssh nginx-light:nginx; do
        case "$missing " in
            *" ${server%:*} "*) $root systemctl disable --now "${server#*:}" >>.dev/apt.log 2>&1 || true ;;
        esac
    done
}

# On a system without apt what matters is probed; what is missing is told, and nothing is installed.
elsewhere() {
    lacks=
    for group in "$@"; do
        case $group in
            build)
                for program in cc c++ make cmake; do
                    have $program || lacks="$lacks $program"
                done
                if [ "$(uname -s)" = Linux ]; then
                    for library in webkit2gtk-4.1 alsa; do
                        pkg-config --exists $library 2>/dev/null || lacks="$lacks $library"
                    done
                fi
                ;;
            headless)
                for program in xvfb-run dbus-run-session; do
                    have $program || lacks="$lacks $program"
                done
                ;;
            test)
                for program in WebKitWebDriver caddy chromium gnome-keyring-daemon nginx pactl pulseaudio sox ssh sshd \
                    xdotool; do
                    have $program || lacks="$lacks $program"
                done
                ;;
            check) have shellcheck || lacks="$lacks shellcheck" ;;
            cross) stop "the checks for other systems run on Debian 12 only: they use its compiler packages." ;;
        esac
    done
    [ -z "$lacks" ] || stop "this system has no apt-get, so please install what is missing yourself:$lacks" \
        "On Debian the packages would be: $wanted" \
        "Then run this again."
}
