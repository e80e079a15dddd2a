// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/span_tokens.h"

#include "engine/text/chat_template.h"

#include <algorithm>

namespace fkv::app {

viz::TokenRange spanTokens(const trace::Prompt& prompt, qsizetype byteBegin, qsizetype byteEnd) {
    // Tokens of one character split into bytes all carry its range, so both ends ascend.
    const auto begin = static_cast<std::uint32_t>(std::max<qsizetype>(0, byteBegin));
    const auto end = static_cast<std::uint32_t>(std::max<qsizetype>(0, byteEnd));
    if (begin >= end) return {};
    const auto first = std::partition_point(prompt.bytes.begin(), prompt.bytes.end(),
                                            [begin](const auto& b) { return b.second <= begin; });
    const auto last = std::partition_point(first, prompt.bytes.end(),
                                           [end](const auto& b) { return b.first < end; });
    return {first - prompt.bytes.begin(), last - prompt.bytes.begin()};
}

std::vector<viz::Mark> spanMarks(const trace::Prompt& prompt,
                                 const std::vector<PromptInput::Span>& spans) {
    std::vector<viz::Mark> marks;
    qsizetype shift = 0;
    if (prompt.chat) {
        // The spans are of what the user says, which stands somewhere in the rendered prompt.
        const auto found = text::shiftOf(prompt.text, prompt.chat->user);
        if (!found) return marks;
        shift = static_cast<qsizetype>(*found);
    }
    for (const PromptInput::Span& span : spans) {
        const viz::TokenRange tokens =
            spanTokens(prompt, span.byteBegin + shift, span.byteEnd + shift);
        if (tokens.size() > 0) marks.push_back({0, true, tokens, span.name});
    }
    return marks;
}

std::vector<viz::Mark> carriedMarks(const std::vector<viz::Mark>& marks, const trace::Prompt& from,
                                    const trace::Prompt& to) {
    const auto [a, b] =
        std::mismatch(from.ids.begin(), from.ids.end(), to.ids.begin(), to.ids.end());
    const std::int64_t common = a - from.ids.begin();
    std::vector<viz::Mark> carried;
    std::copy_if(marks.begin(), marks.end(), std::back_inserter(carried),
                 [common](const viz::Mark& m) { return m.tokens.end <= common; });
    return carried;
}

void addMarks(viz::Selection& selection, const std::vector<viz::Mark>& marks) {
    for (const viz::Mark& mark : marks) {
        const auto same = [&mark](const viz::Mark& m) { return m.span && m.tokens == mark.tokens; };
        if (!mark.span)
            selection.pinToken(mark.tokens.begin, true);
        else if (std::none_of(selection.marks().begin(), selection.marks().end(), same))
            selection.addSpan(mark.tokens, mark.name);
    }
}

} // namespace fkv::app
