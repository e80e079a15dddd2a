// SPDX-License-Identifier: Apache-2.0
#include "engine/model/config.h"
#include "tests/fuzz/target.h"
#include "tests/support/temporary_folder.h"

#include <fstream>

using namespace fkv;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const testing::TemporaryFolder folder;
    // A new file each time: writing over one makes some file systems wait for the disk.
    std::filesystem::remove(folder / "config.json");
    std::ofstream(folder / "config.json", std::ios::binary) << fuzz::asText(data, size);
    fuzz::readsOrRefuses([&] {
        const model::Config c = model::readConfig(folder.path());
        fuzz::check(c.layers > 0 && c.hidden > 0 && c.queryHeads > 0 && c.kvHeads > 0 &&
                        c.headDim > 0 && c.vocabulary > 0 && c.contextLength > 0,
                    "dimensions are positive");
        fuzz::check(c.queryHeads % c.kvHeads == 0, "query heads share KV heads evenly");
    });
    return 0;
}
