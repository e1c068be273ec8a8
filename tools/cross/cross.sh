# Read by ./dev: the code for Windows and macOS, looked at from Debian 12. POSIX sh.
#
# No target's standard library is installed here, so cargo builds it (`-Zbuild-std`) from Debian's own
# sources, with the compiler they belong to: the packages `rustc-web` and `rust-web-src`. That flag is
# unstable, hence RUSTC_BOOTSTRAP. The everyday compiler is left alone.
#
# Windows is the gnu target: what only the msvc target has is not seen. macOS is checked, never linked.
# shellcheck shell=sh

windows=x86_64-pc-windows-gnu
macos=aarch64-apple-darwin
ziglang_version=0.17.1

# cross_cargo ARGUMENTS...: the three commands share one target folder, so std and most crates build once.
cross_cargo() (
    unset RUSTUP_TOOLCHAIN RUSTFLAGS CARGO
    export PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1
    export CARGO_TARGET_DIR=target/cross CARGO_PROFILE_DEV_DEBUG=0
    /usr/bin/cargo "$@"
)

check_windows() {
    need build cross windows
    say "compiling and linting for Windows"
    cross_cargo clippy --locked --workspace --all-targets -Zbuild-std --target $windows -- -D warnings
    say "the Windows code compiles and is clean"
}

check_macos() {
    need build cross macos
    zig
    say "compiling and linting for macOS"
    (
        here=$(pwd)
        mkdir -p target/cross/empty-sdk
        # No Apple SDK: zig brings the C headers, and Rust's framework crates are plain declarations.
        export CC_aarch64_apple_darwin="$here/tools/cross/zig-cc.sh"
        export CXX_aarch64_apple_darwin="$here/tools/cross/zig-c++.sh"
        export AR_aarch64_apple_darwin="$here/tools/cross/zig-ar.sh"
        export ZIG_PYTHON="$here/.dev/zig/bin/python" EMPTY_C="$here/tools/cross/empty.c"
        export SDKROOT="$here/target/cross/empty-sdk" MACOSX_DEPLOYMENT_TARGET=11.0
        cross_cargo clippy --locked --workspace --all-targets -Zbuild-std --target $macos -- -D warnings
    )
    say "the macOS code compiles and is clean"
}

# Zig's C compiler comes as a Python package; 5 s to install.
zig() {
    [ "$(cat .dev/zig/version 2>/dev/null)" = $ziglang_version ] && return
    say "installing ziglang $ziglang_version into .dev/zig"
    rm -rf .dev/zig
    mkdir -p .dev
    /usr/bin/python3 -m venv .dev/zig
    .dev/zig/bin/pip install --quiet --disable-pip-version-check ziglang==$ziglang_version
    echo $ziglang_version >.dev/zig/version
}

test_windows() {
    need build cross windows wine
    say "building the unit tests for Windows"
    (
        here=$(pwd)
        dlls=$here/target/cross/dlls
        mkdir -p "$dlls"
        # Wine 8 lacks the library std takes random bytes from; ours is for these tests only.
        x86_64-w64-mingw32-gcc -shared -O1 -o "$dlls/bcryptprimitives.dll" tools/cross/bcryptprimitives.c -ladvapi32
        # Opus is compiled with the stack protector, which under mingw is a library.
        cp "$(x86_64-w64-mingw32-gcc -print-file-name=libssp-0.dll)" "$dlls/"
        # /usr/bin/wine asks for the 32-bit packages, which nothing here needs.
        export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=/usr/lib/wine/wine64
        export WINEPATH="Z:$dlls" WINEPREFIX="$here/.dev/wine" WINEDEBUG=-all
        export WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe='
        unset DISPLAY
        cross_cargo test --locked --workspace --exclude kennex-dialer --lib --no-run -Zbuild-std --target $windows
        say "running them under Wine"
        /usr/lib/wine/wine64 wineboot --init
        cross_cargo test --locked --workspace --exclude kennex-dialer --lib -Zbuild-std --target $windows
    )
    say "the unit tests pass on Windows as Wine has it"
}
