// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/answer.h"

#include "engine/trace/run.h"

#include <numeric>

namespace fkv::trace {

std::string Answer::text() const {
    std::string all;
    for (const AnswerToken& t : tokens) all += t.text;
    return all;
}

std::string Answer::firstLine() const {
    std::string line = text();
    // A leading newline would leave nothing: the answer then is empty, as it should be.
    if (const auto newline = line.find('\n'); newline != std::string::npos) line.resize(newline);
    const auto first = line.find_first_not_of(' ');
    if (first == std::string::npos) return {};
    return line.substr(first, line.find_last_not_of(' ') - first + 1);
}

double Fidelity::meanKl() const {
    if (kl.empty()) return 0.0;
    return std::accumulate(kl.begin(), kl.end(), 0.0) / static_cast<double>(kl.size());
}

double Fidelity::top1Agreement() const {
    if (sameTop1.empty()) return 1.0;
    return std::accumulate(sameTop1.begin(), sameTop1.end(), 0.0) /
           static_cast<double>(sameTop1.size());
}

std::string Prompt::tokenText(std::int64_t i) const {
    const auto index = static_cast<std::size_t>(i);
    if (index >= ids.size()) return {};
    if (index < bytes.size()) {
        const auto [begin, end] = bytes[index];
        if (begin < end && end <= text.size()) return text.substr(begin, end - begin);
    }
    return index < pieces.size() ? pieces[index] : std::string{};
}

}  // namespace fkv::trace
