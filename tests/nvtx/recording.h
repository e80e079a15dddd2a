// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fkv::testing {

/// A range that recorder.cpp wrote down.
struct Annotation {
    std::string name;     ///< "?" when it was no registered string
    std::string category; ///< by name
    std::map<std::string, std::int64_t> payload;
    std::string thread;
    int parent = -1; ///< index of the range it was opened in, on the same thread

    std::int64_t layer() const { return payload.at("layer"); }
    std::int64_t tokens() const { return payload.at("tokens"); }
};

/// What one domain's annotations were. Throws std::runtime_error when ranges do not nest.
struct Recording {
    int domains = 0; ///< how often the domain was made
    std::set<std::string> categories;
    std::set<std::string> strings;
    std::vector<std::vector<std::string>> schemas; ///< name, then fields
    std::vector<Annotation> ranges;                ///< in the order they were opened
    std::vector<int> closed;                       ///< indices in the order they were closed

    /// Ranges inside none.
    std::vector<int> roots() const;
    /// Ranges opened directly inside another.
    std::vector<int> inside(int range) const;
    /// True when `range` is `root` or somewhere inside it.
    bool within(int range, int root) const;
};

Recording readRecording(const std::filesystem::path& file, const std::string& domain);

} // namespace fkv::testing
