#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A stranger's program in C and in C++ builds against the installed files: by pkg-config with the
# shared and the static library, and by CMake's find_package. Only the names of icp.h are shown.
set -eu
build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for target in icp_shared icp_static icp_header; do
    cmake --build "$build" --target "$target" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
done
for component in runtime client; do
    cmake --install "$build" --prefix "$work/prefix" --component $component >/dev/null
done
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name icp.pc)")
export PKG_CONFIG_PATH
lib=$(pkg-config --variable=libdir icp)

cat >"$work/main.c" <<'END'
#include <icp.h>
#include <stdio.h>
int main(void)
{
    struct icp_fault fault;
    struct icp_client *client = icp_connect("http://nowhere", NULL, &fault);
    struct icp_reply reply = {0};
    if (client != NULL)
        icp_call_PING(client, NULL, &reply);
    printf("%s %s %d\n", icp_version(), icp_error_name(fault.code), ICP_OP_SCORE);
    return client == NULL && fault.code == ICP_USAGE ? 0 : 1;
}
END
cp "$work/main.c" "$work/main.cpp"
sed -i 's/= {0}/= {}/' "$work/main.cpp"
strict="-Wall -Wextra -Wpedantic -Werror"
cc -std=c99 $strict $(pkg-config --cflags icp) "$work/main.c" $(pkg-config --libs icp) -o "$work/c"
LD_LIBRARY_PATH=$lib "$work/c"
# No name of the header is both a struct's and a function's, which C++ could not tell apart.
cat >>"$work/main.cpp" <<'END'
#include <icp_pool.h>
#include <icp_typed.h>
#include <icp_uv.h>
icp_options options{};
icp_pool_options pool_options{};
icp_pool_state pool_state{};
icp_uv loop{};
icp_query query{};
icp_score score{};
icp_reply reply{};
icp_server server{};
icp_walk walk{};
static_assert(ICP_VERSION_NUMBER / 10000 == ICP_VERSION_MAJOR, "the number holds the parts");
END
for compiler in g++ clang++; do
    for standard in c++11 c++17; do
        $compiler -std=$standard $strict $(pkg-config --cflags icp libuv) "$work/main.cpp" \
            $(pkg-config --libs icp libuv) -o "$work/cpp"
        LD_LIBRARY_PATH=$lib "$work/cpp"
    done
done
cc $(pkg-config --cflags icp) "$work/main.c" "$lib/libicp.a" \
    $(pkg-config --libs --static icp | sed 's/-licp//') -o "$work/static"
"$work/static"

cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(stranger C)
find_package(icp REQUIRED)
foreach(kind icp static)
    add_executable(with_${kind} main.c)
    target_link_libraries(with_${kind} icp::${kind})
endforeach()
END
cmake -G Ninja -S "$work" -B "$work/b" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/b" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/b/with_icp"
"$work/b/with_static"

# The examples of the documentation are programs that build.
awk -v work="$work" '/^```c$/ {n++; inside = 1; next} /^```/ {inside = 0} inside {print > (work "/doc" n ".c")}' \
    "$source/docs/client.md"
printf "#include <icp_typed.h>\nint main(void) { return 0; }\n" >"$work/doc0.c"
for file in "$work"/doc*.c; do
    cc -std=c99 $strict $(pkg-config --cflags icp) "$file" $(pkg-config --libs icp) -o "$work/doc"
done

for file in "$lib/libicp.so" "$lib/libicp.a"; do
    case $file in *.so) shown=$(nm -D --defined-only "$file") ;; *) shown=$(nm -g --defined-only "$file") ;; esac
    if echo "$shown" | grep -E ' [TDBRV] ' | grep -vE ' icp_'; then
        echo "$file shows more than icp.h declares"
        exit 1
    fi
done
echo "installed files are sound"
