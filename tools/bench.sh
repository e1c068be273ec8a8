# Read by ./dev: what `./dev bench` measures. POSIX sh.
# shellcheck shell=sh

bench() {
    what=${1:-}
    [ $# -eq 0 ] || shift
    case $what in
        gateway) bench_gateway "$@" ;;
        *) stop "there is no benchmark \"$what\"." "There is: ./dev bench gateway" ;;
    esac
}

# The load tool is a package of its own, so that what only measures is no part of what is shipped; it
# shares the target folder. With --quick nothing is judged by its speed, so debug builds will do.
bench_gateway() {
    [ "$(uname -s)" = Linux ] || stop "this benchmark reads memory from /proc and pins programs with taskset: Linux only."
    require_rust
    require_node
    need build
    install_npm tools/bench/express "the compared server's"
    load="--locked --manifest-path tools/bench/load/Cargo.toml --target-dir target"
    # What is measured is what a container has: without the page.
    profile=--release cut=--no-default-features
    for option in "$@"; do
        [ "$option" != --quick ] || profile='' cut=''
    done
    say "building dialer-server and the load tool"
    # shellcheck disable=SC2086 # words, and possibly none
    {
        cargo build --locked $profile $cut -p dialer-server
        cargo build $load $profile
        [ -n "$profile" ] || cargo test --quiet $load
    }
    node tools/bench/gateway.mjs "$@"
}
