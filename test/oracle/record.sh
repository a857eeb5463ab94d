#!/usr/bin/env bash
# Records what Linux answers: builds the module and loads it, in a virtual machine, into results.txt.
#
#   record.sh HEADERS RUN...
#
# HEADERS is a kernel's build folder (/lib/modules/VERSION/build); RUN runs a command on that kernel
# as root and passes its output on, such as a script around qemu. Never load the module into a
# kernel that matters: it registers protocols of its own. It refuses to stay (ECANCELED).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
headers=${1:?the folder with the headers of a kernel}
shift
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cp "$here"/{nlkit_oracle.c,Kbuild} "$build"
make -C "$headers" M="$build" CONFIG_MODULE_SIG=n modules
"$@" bash -c "uname -v; insmod $build/nlkit_oracle.ko; dmesg" >"$build/log" 2>&1 || true
grep -q 'oracle: end' "$build/log" || { tail "$build/log"; exit 1; }
{
  echo "# $(head -1 "$build/log"), recorded by record.sh. One line an answer, in the order of the questions."
  grep -o 'oracle: .* = .*' "$build/log" | sed 's/^oracle: //'
} >"$here/results.txt"
echo "$(grep -vc '^#' "$here/results.txt") answers"
