# SPDX-License-Identifier: Apache-2.0
# CUDA is found, not required. FKV_CUDA=OFF leaves it out; without it the program runs on the CPU.

set(FKV_CUDA "AUTO" CACHE STRING "AUTO: when nvcc is found; ON: required; OFF: CPU alone")
set(FKV_HAVE_CUDA OFF)
if(NOT FKV_CUDA STREQUAL "OFF" AND NOT FKV_SANITIZE)
    include(CheckLanguage)
    if(NOT CMAKE_CUDA_COMPILER)
        find_program(FKV_NVCC nvcc PATHS /usr/local/cuda/bin)
        if(FKV_NVCC)
            set(CMAKE_CUDA_COMPILER ${FKV_NVCC})
        endif()
    endif()
    # The machine's own architecture, "a" for Hopper's warpgroup instructions; 80 where there is no GPU.
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
        set(found "")
        find_program(FKV_NVIDIA_SMI nvidia-smi)
        if(FKV_NVIDIA_SMI)
            execute_process(COMMAND ${FKV_NVIDIA_SMI} --query-gpu=compute_cap --format=csv,noheader
                OUTPUT_VARIABLE found ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
        endif()
        string(REGEX MATCH "[0-9]+\\.[0-9]+" found "${found}")
        string(REPLACE "." "" found "${found}")
        if(found STREQUAL "90")
            set(found "90a")
        elseif(NOT found OR found LESS 80)
            set(found 80)
        endif()
        set(CMAKE_CUDA_ARCHITECTURES ${found} CACHE STRING "CUDA architectures")
    endif()
    if(CMAKE_CUDA_COMPILER)
        check_language(CUDA)
    endif()
    if(CMAKE_CUDA_COMPILER)
        enable_language(CUDA)
        # CMake 3.25 does not know the newest nvcc's flags.
        if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
            set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
            set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
        endif()
        find_package(CUDAToolkit 12.4 REQUIRED)
        set(FKV_HAVE_CUDA ON)
        # CUPTI records kernels; loaded at run time, so that it is needed by nobody who does not ask.
        set(extras ${CUDAToolkit_LIBRARY_ROOT}/extras/CUPTI ${CUDAToolkit_BIN_DIR}/../extras/CUPTI)
        find_path(FKV_CUPTI_INCLUDE cupti.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ${extras}
            PATH_SUFFIXES include)
        find_library(FKV_CUPTI_LIBRARY cupti HINTS ${CUDAToolkit_LIBRARY_DIR} ${extras}
            PATH_SUFFIXES lib64 lib)
    elseif(FKV_CUDA STREQUAL "ON")
        message(FATAL_ERROR "FKV_CUDA is ON, but there is no nvcc")
    endif()
endif()
message(STATUS "CUDA: ${FKV_HAVE_CUDA} ${CMAKE_CUDA_ARCHITECTURES}")

# NVTX 3, which names ranges for Nsight Systems: headers alone, so a CPU build has it too. They come with
# the toolkit (Debian has no package of them); without them nothing is annotated.
find_path(FKV_NVTX_INCLUDE nvtx3/nvToolsExtPayload.h
    HINTS /usr/local/cuda/include DOC "Folder that holds nvtx3/")
add_library(fkv_nvtx INTERFACE)
if(FKV_NVTX_INCLUDE)
    target_include_directories(fkv_nvtx SYSTEM INTERFACE ${FKV_NVTX_INCLUDE})
    target_compile_definitions(fkv_nvtx INTERFACE FKV_NVTX=1)
    target_link_libraries(fkv_nvtx INTERFACE ${CMAKE_DL_LIBS})
endif()
message(STATUS "NVTX: ${FKV_NVTX_INCLUDE}")
