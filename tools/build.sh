# Read by ./dev: the user interface, rebuilt only when it changed. POSIX sh.
# shellcheck shell=sh

# The stamp lies inside node_modules, so deleting that folder is enough to install again.
install_ui() {
    lock=$(sha256 ui/package-lock.json)
    [ "$(cat ui/node_modules/.installed-from 2>/dev/null)" = "$lock" ] && return
    say "installing the user interface's npm packages"
    npm --prefix ui ci --no-audit --no-fund
    printf '%s\n' "$lock" >ui/node_modules/.installed-from
}

# The stamp holds what was built and what came out: build.rs puts a placeholder where ui/dist is missing.
build_ui() {
    install_ui
    sources=$(find ui -name node_modules -prune -o -path ui/dist -prune -o -path ui/tests -prune -o -type f -print \
        | LC_ALL=C sort | while read -r file; do sha256 "$file"; done | sha256 -)
    built="$sources $(sha256 ui/dist/index.html 2>/dev/null || true)"
    [ "$(cat .dev/ui-built 2>/dev/null)" = "$built" ] && return
    say "building the user interface"
    npm --prefix ui run build
    mkdir -p .dev
    printf '%s %s\n' "$sources" "$(sha256 ui/dist/index.html)" >.dev/ui-built
}

# sha256 FILE: its digest and name.
if have sha256sum; then
    sha256() { sha256sum "$1"; }
else
    sha256() { shasum -a 256 "$1"; }
fi
