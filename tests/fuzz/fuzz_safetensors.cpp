// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mapped_file.h"
#include "engine/io/safetensors.h"
#include "tests/fuzz/target.h"

using namespace fkv;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::readsOrRefuses([&] {
        const auto* begin = reinterpret_cast<const std::byte*>(data);
        const auto file = io::SafetensorsFile::open(
            io::MappedFile::own(std::vector<std::byte>(begin, begin + size), "fuzz.safetensors"));
        // Every byte that was handed out is there, and of the size its shape says.
        const auto whole = file.file()->bytes();
        unsigned sum = 0;
        for (const io::TensorEntry& tensor : file.tensors()) {
            fuzz::check(tensor.elements() >= 0, "a tensor has a size");
            fuzz::check(tensor.bytes.size() ==
                            static_cast<std::size_t>(tensor.elements()) * sizeOf(tensor.dtype),
                        "bytes fit the shape");
            fuzz::check(tensor.bytes.empty() || (tensor.bytes.data() >= whole.data() &&
                                                 tensor.bytes.data() + tensor.bytes.size() <=
                                                     whole.data() + whole.size()),
                        "bytes lie in the file");
            for (const std::byte b : tensor.bytes)
                sum += static_cast<unsigned>(b);
            fuzz::check(file.find(tensor.name) == &tensor, "a tensor is found by its name");
        }
        volatile unsigned sink = sum; // so that no read is left out
        (void)sink;
    });
    return 0;
}
