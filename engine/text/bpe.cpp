// SPDX-License-Identifier: Apache-2.0
#include "engine/text/bpe.h"

#include "engine/text/unicode.h"

#include <algorithm>
#include <cstdio>

namespace fkv::text {

namespace {

/// Longer words are looked at anew: remembering them would copy the text.
constexpr std::size_t kLongestKnown = 128;
constexpr char32_t kSpaceSign = 0x2581; // "▁"

std::string byteToken(unsigned byte) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "<0x%02X>", byte);
    return text.data();
}

} // namespace

Bpe::Bpe(const Vocabulary& vocabulary, const std::vector<MergeRule>& merges, BpeOptions options)
    : m_vocabulary(vocabulary), m_merges(merges.size()), m_options(std::move(options)) {
    for (const MergeRule& rule : merges)
        m_merges.set(rule.left, rule.right, rule.into);
    for (unsigned b = 0; b < 256; ++b)
        m_byteIds[b] = m_options.byteLevel
                           ? vocabulary.find(byteSpelling(static_cast<unsigned char>(b)))
                           : vocabulary.find(byteToken(b));
    if (!m_options.byteLevel) findSeams(merges);
}

/// A vocabulary that comes without a cut into words (Llama 2's) makes one word of the whole text.
/// No merge can cross a place when no token holds the two characters around it: cutting there
/// changes nothing, and the parts are words that come again. Space signs are the places to ask for.
void Bpe::findSeams(const std::vector<MergeRule>& merges) {
    const auto isByte = [this](std::int32_t id) {
        return std::find(m_byteIds.begin(), m_byteIds.end(), id) != m_byteIds.end();
    };
    // A character that gives no token at all brings its neighbours together.
    if (m_options.unknown < 0 && !(m_options.byteFallback && !isByte(-1))) return;
    // Tokens of bytes are not spelled by the characters they stand for: then nothing is known.
    for (const MergeRule& rule : merges)
        if (m_options.byteFallback && (isByte(rule.left) || isByte(rule.right))) return;
    std::string sign;
    appendUtf8(sign, kSpaceSign);
    m_hasSeams = m_vocabulary.find(sign) >= 0;
    for (std::int32_t id = 0; id < m_vocabulary.size() && m_hasSeams; ++id) {
        const std::string_view spelling = m_vocabulary.spelling(id);
        char32_t before = 0;
        for (std::size_t at = 0; at < spelling.size();) {
            const Character c = characterAt(spelling, at);
            if (at > 0 && c.code == kSpaceSign) m_bound.insert(before);
            before = c.code;
            at += c.length;
        }
    }
}

void Bpe::encode(std::string_view word, BpeScratch& scratch, std::vector<Piece>& out) const {
    Range stretch{0, static_cast<std::uint32_t>(word.size())};
    if (m_hasSeams) {
        char32_t before = 0;
        for (std::uint32_t at = 0; at < word.size();) {
            const Character c = characterAt(word, at);
            if (at > 0 && c.code == kSpaceSign && !m_bound.contains(before)) {
                encodeStretch(word, {stretch.begin, at}, scratch, out);
                stretch.begin = at;
            }
            before = c.code;
            at += static_cast<std::uint32_t>(c.length);
        }
    }
    encodeStretch(word, stretch, scratch, out);
}

void Bpe::encodeStretch(std::string_view word, Range stretch, BpeScratch& scratch,
                        std::vector<Piece>& out) const {
    const std::string_view part = cut(word, stretch);
    auto known = scratch.words.find(part);
    if (known == scratch.words.end()) {
        const std::size_t first = scratch.pieces.size();
        encodeFresh(part, scratch, scratch.pieces);
        const BpeScratch::Known fresh{first, scratch.pieces.size() - first};
        if (part.size() <= kLongestKnown) {
            known = scratch.words.emplace(part, fresh).first;
        } else {
            addPieces(scratch, fresh, stretch.begin, out);
            scratch.pieces.resize(first);
            return;
        }
    }
    addPieces(scratch, known->second, stretch.begin, out);
}

void Bpe::addPieces(const BpeScratch& scratch, const BpeScratch::Known& known, std::uint32_t begin,
                    std::vector<Piece>& out) {
    for (std::size_t i = known.first; i < known.first + known.count; ++i) {
        const auto [id, range] = scratch.pieces[i];
        out.push_back({id, {begin + range.begin, begin + range.end}});
    }
}

void Bpe::encodeFresh(std::string_view word, BpeScratch& scratch, std::vector<Piece>& out) const {
    if (word.empty()) return;
    if (m_options.ignoreMerges) {
        const std::int32_t id =
            m_options.byteLevel ? m_vocabulary.find(spellBytes(word)) : m_vocabulary.find(word);
        if (id >= 0) {
            out.push_back({id, {0, static_cast<std::uint32_t>(word.size())}});
            return;
        }
    }
    scratch.symbols.clear();
    if (m_options.byteLevel)
        startBytes(word, scratch);
    else
        startCharacters(word, scratch);
    if (!scratch.symbols.empty()) scratch.symbols.back().next = -1;
    merge(scratch);
    for (const BpeScratch::Symbol& symbol : scratch.symbols)
        if (symbol.id >= 0) out.push_back({symbol.id, symbol.range});
}

void Bpe::push(BpeScratch& scratch, std::int32_t id, Range range) {
    const auto place = static_cast<std::int32_t>(scratch.symbols.size());
    scratch.symbols.push_back({id, place - 1, place + 1, range});
}

void Bpe::startBytes(std::string_view word, BpeScratch& scratch) const {
    scratch.lastUnknown = false;
    for (std::uint32_t i = 0; i < word.size(); ++i) {
        const std::int32_t id = m_byteIds[static_cast<unsigned char>(word[i])];
        if (id < 0) {
            addUnknown({i, i + 1}, scratch);
            continue;
        }
        push(scratch, id, {i, i + 1});
        scratch.lastUnknown = false;
    }
}

void Bpe::startCharacters(std::string_view word, BpeScratch& scratch) const {
    scratch.lastUnknown = false;
    for (std::uint32_t at = 0; at < word.size();) {
        const auto length = static_cast<std::uint32_t>(characterAt(word, at).length);
        const Range character{at, at + length};
        at += length;
        const std::int32_t id = m_vocabulary.find(cut(word, character));
        if (id < 0) {
            if (!fallBack(word, character, scratch)) addUnknown(character, scratch);
            continue;
        }
        push(scratch, id, character);
        scratch.lastUnknown = false;
    }
}

bool Bpe::fallBack(std::string_view word, Range character, BpeScratch& scratch) const {
    if (!m_options.byteFallback) return false;
    const auto idAt = [&](std::uint32_t i) {
        return m_byteIds[static_cast<unsigned char>(word[i])];
    };
    for (std::uint32_t i = character.begin; i < character.end; ++i)
        if (idAt(i) < 0) return false;
    for (std::uint32_t i = character.begin; i < character.end; ++i)
        push(scratch, idAt(i), {i, i + 1});
    scratch.lastUnknown = false;
    return true;
}

/// Without a token for the unknown it gives no token at all, as in the library.
void Bpe::addUnknown(Range range, BpeScratch& scratch) const {
    if (m_options.unknown < 0) return;
    if (m_options.fuseUnknown && scratch.lastUnknown)
        scratch.symbols.back().range.end = range.end;
    else
        push(scratch, m_options.unknown, range);
    scratch.lastUnknown = true;
}

void Bpe::offer(BpeScratch& scratch, std::int32_t left) const {
    if (left < 0) return;
    const BpeScratch::Symbol& symbol = scratch.symbols[static_cast<std::size_t>(left)];
    if (symbol.next < 0) return;
    const Merge merge =
        m_merges.find(symbol.id, scratch.symbols[static_cast<std::size_t>(symbol.next)].id);
    if (merge.id < 0) return;
    scratch.heap.push_back({merge.rank, static_cast<std::uint32_t>(left), merge.id});
}

void Bpe::merge(BpeScratch& scratch) const {
    const auto later = [](const BpeScratch::Candidate& a, const BpeScratch::Candidate& b) {
        return a.rank != b.rank ? a.rank > b.rank : a.left > b.left;
    };
    std::vector<BpeScratch::Candidate>& heap = scratch.heap;
    heap.clear();
    for (std::size_t i = 0; i + 1 < scratch.symbols.size(); ++i)
        offer(scratch, static_cast<std::int32_t>(i));
    std::make_heap(heap.begin(), heap.end(), later);
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), later);
        const BpeScratch::Candidate best = heap.back();
        heap.pop_back();
        BpeScratch::Symbol& left = scratch.symbols[best.left];
        if (left.id < 0 || left.next < 0) continue;
        BpeScratch::Symbol& right = scratch.symbols[static_cast<std::size_t>(left.next)];
        // Either side may have merged with another since; the pair then makes something else.
        if (m_merges.find(left.id, right.id).id != best.id) continue;
        left.id = best.id;
        left.range.end = right.range.end;
        left.next = right.next;
        right.id = -1;
        const auto place = static_cast<std::int32_t>(best.left);
        if (left.next >= 0) scratch.symbols[static_cast<std::size_t>(left.next)].previous = place;
        for (const std::int32_t neighbour : {left.previous, place}) {
            const std::size_t before = heap.size();
            offer(scratch, neighbour);
            if (heap.size() > before) std::push_heap(heap.begin(), heap.end(), later);
        }
    }
}

} // namespace fkv::text
