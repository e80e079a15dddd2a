// SPDX-License-Identifier: Apache-2.0
#include "engine/core/host_memory.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace fkv {

namespace fs = std::filesystem;

namespace {

/// The number after `key` in a file of lines "key value", or the file's own number for an empty
/// key. Nothing where there is none ("max").
std::optional<std::int64_t> numberIn(const fs::path& file, std::string_view key) {
    std::ifstream in(file);
    std::string word;
    while (in >> word) {
        if (!key.empty() && word != key) continue;
        std::int64_t value = 0;
        if (!key.empty()) return in >> value ? std::optional(value) : std::nullopt;
        const bool digits = word.find_first_not_of("0123456789") == std::string::npos;
        return digits && word.size() < 19 ? std::optional<std::int64_t>(std::stoll(word))
                                          : std::nullopt;
    }
    return std::nullopt;
}

/// Files that say what a group may use, uses, and how much of that is cache.
struct Names {
    const char *limit, *used, *active, *inactive;
};
constexpr Names kVersion2{"memory.max", "memory.current", "active_file", "inactive_file"};
constexpr Names kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_active_file",
                          "total_inactive_file"};

void limitBy(HostMemory& memory, const fs::path& group, const Names& names) {
    const auto limit = numberIn(group / names.limit, {});
    if (!limit || *limit >= memory.totalBytes) return;
    const fs::path stat = group / "memory.stat";
    const std::int64_t used = numberIn(group / names.used, {}).value_or(0) -
                              numberIn(stat, names.active).value_or(0) -
                              numberIn(stat, names.inactive).value_or(0);
    memory.totalBytes = *limit;
    const std::int64_t left = *limit - std::clamp<std::int64_t>(used, 0, *limit);
    memory.availableBytes = std::min(memory.availableBytes, left);
}

} // namespace

HostMemory hostMemory(const fs::path& root) {
    constexpr std::int64_t kKiB = 1024;
    const fs::path info = root / "proc/meminfo";
    HostMemory memory{kKiB * numberIn(info, "MemTotal:").value_or(0),
                      kKiB * numberIn(info, "MemAvailable:").value_or(0)};
    std::ifstream groups(root / "proc/self/cgroup");
    std::string line;
    while (std::getline(groups, line)) {
        // "0::/a/b", or "5:memory:/a/b" of version 1
        const std::size_t name = line.find(':'), path = line.find(':', name + 1);
        if (name == std::string::npos || path == std::string::npos) continue;
        const std::string controllers = line.substr(name + 1, path - name - 1);
        const bool first = controllers == "memory";
        if (!first && !controllers.empty()) continue;
        const fs::path base = root / (first ? "sys/fs/cgroup/memory" : "sys/fs/cgroup");
        // In a container the path may be the host's: then the base is the group itself.
        fs::path group = fs::path(line.substr(path + 1)).relative_path();
        const Names& names = first ? kVersion1 : kVersion2;
        for (; !group.empty(); group = group.parent_path())
            limitBy(memory, base / group, names);
        limitBy(memory, base, names);
    }
    return memory;
}

} // namespace fkv
