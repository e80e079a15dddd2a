// SPDX-License-Identifier: Apache-2.0
#include "tests/nvtx/recording.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace fkv::testing {

namespace {

std::vector<std::string> fieldsOf(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream text(line);
    for (std::string field; std::getline(text, field, '\t');)
        fields.push_back(field);
    return fields;
}

} // namespace

std::vector<int> Recording::inside(int range) const {
    std::vector<int> found;
    for (int i = 0; i < static_cast<int>(ranges.size()); ++i)
        if (ranges[static_cast<std::size_t>(i)].parent == range) found.push_back(i);
    return found;
}

std::vector<int> Recording::roots() const {
    return inside(-1);
}

bool Recording::within(int range, int root) const {
    while (range >= 0 && range != root)
        range = ranges[static_cast<std::size_t>(range)].parent;
    return range == root;
}

Recording readRecording(const std::filesystem::path& file, const std::string& domain) {
    Recording all;
    std::map<std::string, std::string> categories;
    std::map<std::string, std::vector<int>> open; // by thread
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
        const std::vector<std::string> f = fieldsOf(line);
        const bool range = f.at(0) == "push" || f.at(0) == "pop";
        if (f.at(range ? 2 : 1) != domain) continue;
        if (f[0] == "domain") {
            ++all.domains;
        } else if (f[0] == "category") {
            categories[f.at(2)] = f.at(3);
            all.categories.insert(f.at(3));
        } else if (f[0] == "string") {
            all.strings.insert(f.at(2));
        } else if (f[0] == "schema") {
            all.schemas.emplace_back(f.begin() + 2, f.end());
        } else if (f[0] == "push") {
            std::vector<int>& stack = open[f.at(1)];
            Annotation a{f.at(3), categories[f.at(4)], {}, f[1], stack.empty() ? -1 : stack.back()};
            for (std::size_t i = 5; i < f.size(); ++i) {
                const std::size_t at = f[i].find('=');
                a.payload[f[i].substr(0, at)] = std::stoll(f[i].substr(at + 1));
            }
            stack.push_back(static_cast<int>(all.ranges.size()));
            all.ranges.push_back(std::move(a));
        } else if (f[0] == "pop") {
            std::vector<int>& stack = open[f.at(1)];
            if (stack.empty()) throw std::runtime_error("a range was closed that was not open");
            all.closed.push_back(stack.back());
            stack.pop_back();
        }
    }
    for (const auto& [thread, stack] : open)
        if (!stack.empty()) throw std::runtime_error("a range was not closed");
    return all;
}

} // namespace fkv::testing
