# SPDX-License-Identifier: Apache-2.0
# Compiler settings shared by every target; scoped to the interface target fkv_options.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(FKV_CCACHE ccache)
if(FKV_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${FKV_CCACHE})
endif()

add_library(fkv_options INTERFACE)
target_include_directories(fkv_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(fkv_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wno-missing-field-initializers>
    # GCC 12 sees overlaps inside of std::string that are not there (its bug 105651).
    $<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
# A floating-point result must not depend on how the compiler felt about contraction.
target_compile_options(fkv_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>)
# One instruction of every x86 processor since 2008; std::popcount is a call without it.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(fkv_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-mpopcnt>)
endif()
if(FKV_WERROR)
    target_compile_options(fkv_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(FKV_SANITIZE)
    target_compile_options(fkv_options INTERFACE
        -fsanitize=${FKV_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(fkv_options INTERFACE -fsanitize=${FKV_SANITIZE})
endif()

# -DCMAKE_CXX_COMPILER=clang++ -DFKV_LIBFUZZER=ON: tests/fuzz searches with libFuzzer.
option(FKV_LIBFUZZER "Link the fuzz targets with libFuzzer (clang)" OFF)
if(FKV_LIBFUZZER)
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "FKV_LIBFUZZER needs clang")
    endif()
    target_compile_options(fkv_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# fkv_library(NAME sources... ): a static library with the project's options and its own folder.
function(fkv_library name)
    add_library(${name} STATIC ${ARGN})
    target_link_libraries(${name} PUBLIC fkv_options)
endfunction()

# fkv_qt_library(NAME sources...): the same with moc and the Qt strictness we want in viz and app.
function(fkv_qt_library name)
    fkv_library(${name} ${ARGN})
    set_target_properties(${name} PROPERTIES AUTOMOC ON)
    target_compile_definitions(${name} PUBLIC QT_NO_FOREACH QT_NO_KEYWORDS QT_NO_CAST_FROM_ASCII)
    target_link_libraries(${name} PUBLIC Qt6::Widgets)
endfunction()
