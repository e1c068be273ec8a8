# Read by ./dev: what strangers can send, sent at random by libFuzzer. POSIX sh.
# shellcheck shell=sh

cargo_fuzz_version=0.13.2

# fuzz [TARGET] [SECONDS]: without a target each of them in turn. What libFuzzer finds worth keeping stays in
# fuzz/corpus, what breaks something goes to fuzz/artifacts and belongs among fuzz/seeds, which every test run tries.
fuzz() {
    require_rust
    need build
    targets=$(sed -n 's|^path = "fuzz_targets/\(.*\)\.rs"$|\1|p' fuzz/Cargo.toml)
    seconds=60
    case ${1:-} in
        "" | *[!0-9]*) ;;
        *) set -- "" "$1" ;;
    esac
    if [ -n "${1:-}" ]; then
        printf '%s\n' "$targets" | grep -qxF "$1" \
            || stop "there is no fuzz target \"$1\"." "There are: $(printf '%s' "$targets" | tr '\n' ' ')"
        targets=$1
    fi
    [ -z "${2:-}" ] || seconds=$2
    if ! rustup toolchain list 2>/dev/null | grep -q '^nightly'; then
        stop "libFuzzer needs Rust's nightly compiler, which was not found." \
            "Run: rustup toolchain install nightly --profile minimal" \
            "Without it the seeds and variations of them are tried by ./dev test."
    fi
    tool=.dev/tools/bin/cargo-fuzz
    if [ "$($tool --version 2>/dev/null)" != "cargo-fuzz $cargo_fuzz_version" ]; then
        say "installing cargo-fuzz $cargo_fuzz_version into .dev/tools"
        cargo install --quiet --locked --root .dev/tools --version "$cargo_fuzz_version" cargo-fuzz
    fi
    for target in $targets; do
        say "fuzzing $target for $seconds s"
        mkdir -p "fuzz/corpus/$target"
        # Without a sanitizer: there is no unsafe code of ours for one to look at.
        RUSTUP_TOOLCHAIN=nightly $tool run --fuzz-dir fuzz --target-dir target/fuzz --sanitizer none "$target" \
            "fuzz/corpus/$target" "fuzz/seeds/$target" -- -max_total_time="$seconds" -max_len=4096 -print_final_stats=1
    done
    say "nothing was found"
}
