# SPDX-License-Identifier: Apache-2.0
# Everything comes from Debian packages; HACKING.md says why each one is here.

find_package(Threads REQUIRED)
find_package(nlohmann_json 3.9 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SENTENCEPIECE REQUIRED IMPORTED_TARGET sentencepiece)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)

if(FKV_WINDOW)
    find_package(Qt6 6.4 REQUIRED COMPONENTS Widgets Svg)
endif()
if(FKV_TESTS)
    find_package(GTest REQUIRED)
    if(FKV_WINDOW)
        find_package(Qt6 6.4 REQUIRED COMPONENTS Test)
    endif()
endif()
