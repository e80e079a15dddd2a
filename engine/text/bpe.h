// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/offset_text.h"
#include "engine/text/pair_map.h"
#include "engine/text/string_hash.h"
#include "engine/text/vocabulary.h"

#include <array>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace fkv::text {

/// What a model of a tokenizer.json says besides vocabulary and merges.
struct BpeOptions {
    bool byteLevel = false;    ///< words are bytes, the vocabulary spells them by the byte alphabet
    bool ignoreMerges = false; ///< a word that is in the vocabulary is one token, merges or not
    bool byteFallback = false; ///< a character that is not becomes the tokens "<0x..>" of its bytes
    bool fuseUnknown = false;
    std::int32_t unknown = -1;
};

struct MergeRule {
    std::int32_t left, right;
    Merge into;
};

/// A token of a word and the bytes of the word that it covers.
struct Piece {
    std::int32_t id;
    Range range;
};

/// What encoding one text needs: words seen already, and working space. Not shared by threads.
struct BpeScratch {
    struct Symbol {
        std::int32_t id;             ///< -1: merged into its neighbour in front
        std::int32_t previous, next; ///< -1 at the ends
        Range range;                 ///< in the word
    };
    struct Candidate {
        std::uint32_t rank;
        std::uint32_t left; ///< the symbol in front; ties go to the leftmost
        std::int32_t id;
    };
    struct Known {
        std::size_t first, count; ///< in `pieces`
    };
    std::vector<Symbol> symbols;
    std::vector<Candidate> heap;
    StringMap<Known> words;
    std::vector<Piece> pieces; ///< of the words known
    bool lastUnknown = false;  ///< the newest symbol stands for an unknown character
};

/// Byte-pair encoding as the `tokenizers` library does it. Immutable; const calls are thread-safe.
class Bpe {
public:
    /// `vocabulary` has to outlive it.
    Bpe(const Vocabulary& vocabulary, const std::vector<MergeRule>& merges, BpeOptions options);

    /// Adds the tokens of a word, with ranges in it. n log n in its length.
    void encode(std::string_view word, BpeScratch& scratch, std::vector<Piece>& out) const;

private:
    void encodeStretch(std::string_view word, Range stretch, BpeScratch& scratch,
                       std::vector<Piece>& out) const;
    static void addPieces(const BpeScratch& scratch, const BpeScratch::Known& known,
                          std::uint32_t begin, std::vector<Piece>& out);
    void encodeFresh(std::string_view word, BpeScratch& scratch, std::vector<Piece>& out) const;
    void startBytes(std::string_view word, BpeScratch& scratch) const;
    void startCharacters(std::string_view word, BpeScratch& scratch) const;
    bool fallBack(std::string_view word, Range character, BpeScratch& scratch) const;
    void addUnknown(Range range, BpeScratch& scratch) const;
    static void push(BpeScratch& scratch, std::int32_t id, Range range);
    void merge(BpeScratch& scratch) const;
    void offer(BpeScratch& scratch, std::int32_t left) const;
    void findSeams(const std::vector<MergeRule>& merges);

    const Vocabulary& m_vocabulary;
    PairMap m_merges;
    BpeOptions m_options;
    /// By byte: its token in a byte-level vocabulary, or the token "<0x..>".
    std::array<std::int32_t, 256> m_byteIds{};
    bool m_hasSeams = false;
    std::unordered_set<char32_t> m_bound; ///< characters that some token has in front of a "▁"
};

} // namespace fkv::text
