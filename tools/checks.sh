# Read by ./dev: what `./dev check` looks at. POSIX sh.
# shellcheck shell=sh

machete_version=0.9.2

check() {
    require_rust
    require_node
    need build check
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        stop "rustfmt and clippy are needed." "Run: rustup component add rustfmt clippy"
    fi
    install_ui

    say "format of the Rust sources"
    cargo fmt --all --check
    cargo fmt --manifest-path tools/bench/load/Cargo.toml --check
    cargo fmt --manifest-path fuzz/Cargo.toml --check
    say "shell scripts"
    shellcheck dev .ci/run tools/*.sh tools/cross/*.sh tools/cross-check/*.sh icons/render.sh deploy/*.sh
    say "user interface: types, lints, format"
    npm --prefix ui run check
    say "lints of the Rust sources"
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo clippy --locked --manifest-path tools/bench/load/Cargo.toml --target-dir target --all-targets -- -D warnings
    say "documentation of the Rust sources"
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --quiet --workspace --no-deps --document-private-items
    say "licences of every dependency"
    node tools/licences.mjs
    say "unused dependencies"
    machete
    say "bindings of the user interface"
    cargo test --locked --quiet -p dialer-engine --test main bindings
    say "layering"
    cargo test --locked --quiet -p kennex-dialer --test main layers
    say "every check passed"
}

machete() {
    tool=.dev/tools/bin/cargo-machete
    if [ "$($tool --version 2>/dev/null)" != "$machete_version" ]; then
        say "installing cargo-machete $machete_version into .dev/tools"
        cargo install --quiet --locked --root .dev/tools --version "$machete_version" cargo-machete
    fi
    $tool .
}
