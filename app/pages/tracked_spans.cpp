// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/tracked_spans.h"

#include <QByteArray>
#include <algorithm>

namespace fkv::app {

std::vector<TrackedSpan> trackedSpans(const QString& text,
                                      const std::vector<PromptInput::Span>& spans) {
    std::vector<TrackedSpan> tracked;
    if (spans.empty()) return tracked;
    const QByteArray bytes = text.toUtf8();
    const auto units = [&bytes](qsizetype byte) {
        return QString::fromUtf8(QByteArrayView(bytes).first(byte)).size();
    };
    for (const PromptInput::Span& span : spans) {
        if (span.byteBegin < 0 || span.byteEnd <= span.byteBegin || span.byteEnd > bytes.size())
            continue;
        const qsizetype begin = units(span.byteBegin), end = units(span.byteEnd);
        tracked.push_back({begin, end, span.name, text.mid(begin, end - begin)});
    }
    return tracked;
}

std::vector<PromptInput::Span> byteSpans(const QString& text,
                                         const std::vector<TrackedSpan>& spans) {
    std::vector<PromptInput::Span> out;
    const QStringView view(text);
    for (const TrackedSpan& span : spans) {
        const qsizetype begin = view.first(span.begin).toUtf8().size();
        const qsizetype size = view.sliced(span.begin, span.end - span.begin).toUtf8().size();
        out.push_back({begin, begin + size, span.name});
    }
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return a.byteBegin < b.byteBegin; });
    return out;
}

void followEdit(std::vector<TrackedSpan>& spans, const TextEdit& edit) {
    const qsizetype removedEnd = edit.at + edit.removed;
    std::erase_if(spans, [&](TrackedSpan& span) {
        if (removedEnd <= span.begin) {
            span.begin += edit.added - edit.removed;
            span.end += edit.added - edit.removed;
            return false;
        }
        return edit.at < span.end;
    });
}

} // namespace fkv::app
