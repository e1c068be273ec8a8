/* Compiled in place of Objective-C sources by zig-cc.sh. */
