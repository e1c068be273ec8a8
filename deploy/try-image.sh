#!/bin/sh
# What deploy/Dockerfile makes, put together and run by hand, for machines without Docker: the program and
# what distroless/cc-debian12 holds of Debian, nothing else, read-only, as the image's user. Needs Debian 12
# and root (for chroot). Builds the release first.
set -eu
[ "$(id -u)" -eq 0 ] || { echo "try-image: run this as root, which chroot needs" >&2; exit 1; }
# What is mounted here is mounted for nobody else.
[ "${1:-}" = --unshared ] || exec unshare --mount "$0" --unshared
cd "$(dirname "$0")/.."
user=65532

echo "what goes to Docker is enough for cargo"
work=$(mktemp -d)
server=
# shellcheck disable=SC2329 # called by trap
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    umount "$work/image/var/lib/dialer-server" "$work/image" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
mkdir "$work/context"
# The lines of the list that begin with "!" are what is sent.
sed -n 's/^!//p' deploy/Dockerfile.dockerignore | xargs cp -r -t "$work/context"
# Cargo does not miss these, and builds something else without them.
for file in $(git ls-files -- .cargo 'rust-toolchain*'); do
    [ -e "$work/context/$file" ] || { echo "try-image: $file is not sent to Docker" >&2; exit 1; }
done
cargo metadata --locked --format-version 1 --manifest-path "$work/context/Cargo.toml" >"$work/metadata"

echo "building the release"
cargo build --release --locked --no-default-features -p dialer-server
program=target/release/dialer-server

echo "what it is linked with is in the image"
image=$work/image
mkdir -p "$image/usr/local/bin" "$image/etc/ssl/certs" "$image/usr/share" "$image/var/lib/dialer-server"
cp $program "$image/usr/local/bin/"
for library in $(ldd $program | sed -n 's/.* => \(\/[^ ]*\).*/\1/p; s/^\s*\(\/lib64[^ ]*\).*/\1/p'); do
    case $(basename "$library") in
        ld-linux-*.so.* | libc.so.6 | libm.so.6 | libgcc_s.so.1 | libstdc++.so.6 | libdl.so.2 | libpthread.so.0) ;;
        *) echo "try-image: $library is not in distroless/cc-debian12" >&2; exit 1 ;;
    esac
    cp --parents -L "$library" "$image"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/"
[ ! -d /usr/share/zoneinfo ] || cp -r /usr/share/zoneinfo "$image/usr/share/"
du -h $program | cut -f1

echo "it runs with nothing else, read-only, as user $user"
mkdir "$work/data"
chown $user:$user "$work/data"
mount --bind "$image" "$image"
mount -o remount,bind,ro "$image"
mount --bind "$work/data" "$image/var/lib/dialer-server"
secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
cat >"$work/in-image" <<SCRIPT
#!/bin/sh
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DATABASE_URL=sqlite:///var/lib/dialer-server/calls.sqlite \
    TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001 TWILIO_API_KEY=SK00000000000000000000000000000001 \
    TWILIO_TWIML_APP_SID=AP00000000000000000000000000000001 TWILIO_PHONE_NUMBER=+12025550100 \
    TWILIO_AUTH_TOKEN=$secret TWILIO_API_SECRET=$secret AGENT_API_TOKEN=$secret \
    BACKEND_URL=https://phone.example \
    chroot --userspec=$user:$user "$image" /usr/local/bin/dialer-server "\$@"
SCRIPT
chmod +x "$work/in-image"
"$work/in-image" --listen 127.0.0.1:3902 --agent-listen 127.0.0.1:3903 >"$work/log" 2>&1 &
server=$!
tries=0
until "$work/in-image" --health --agent-listen 127.0.0.1:3903; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ] || ! kill -0 $server 2>/dev/null; then
        echo "try-image: it is not healthy:" >&2
        cat "$work/log" >&2
        exit 1
    fi
    sleep 0.1
done
[ -s "$work/data/calls.sqlite" ] || { echo "try-image: there is no call log" >&2; exit 1; }

echo "it ends when asked to"
kill $server
wait $server || { echo "try-image: it ended with $?" >&2; exit 1; }
server=
if "$work/in-image" --health --agent-listen 127.0.0.1:3903 2>/dev/null; then
    echo "try-image: what has ended is said to be healthy" >&2
    exit 1
fi
echo "all is well"
