#!/bin/sh
# Renders every icon from its SVG. Needs Debian's librsvg2-bin, icoutils and icnsutils.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# draw SVG SIZE PNG
draw() {
    rsvg-convert --width "$2" --height "$2" "$1" --output "$3"
}

draw icon.svg 32 32x32.png
draw icon.svg 128 128x128.png
draw icon.svg 256 128x128@2x.png
draw icon.svg 512 icon.png
for size in 16 24 32 48 64 128 256 512; do
    draw icon.svg $size "$work/$size.png"
done
# The largest of an .ico is kept as PNG, as Windows has read it since Vista.
icotool --create --output icon.ico "$work"/16.png "$work"/24.png "$work"/32.png "$work"/48.png "$work"/64.png \
    --raw="$work"/256.png
png2icns icon.icns "$work"/16.png "$work"/32.png "$work"/128.png "$work"/256.png "$work"/512.png >/dev/null

for state in idle ringing in-call offline; do
    draw tray/$state.svg 32 tray/$state.png
    draw tray/$state.svg 64 tray/$state@2x.png
done
