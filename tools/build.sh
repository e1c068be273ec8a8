# Read by ./dev: the user interface, rebuilt only when it changed. POSIX sh.
# shellcheck shell=sh

# install_npm FOLDER WHOSE: the stamp lies inside node_modules, so deleting that is enough to install again.
install_npm() {
    lock=$(sha256 "$1/package-lock.json")
    [ "$(cat "$1/node_modules/.installed-from" 2>/dev/null)" = "$lock" ] && return
    say "installing $2 npm packages"
    npm --prefix "$1" ci --no-audit --no-fund
    printf '%s\n' "$lock" >"$1/node_modules/.installed-from"
}

install_ui() {
    install_npm ui "the user interface's"
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
