#!/usr/bin/env python3
"""Writes metrics.json: what sacreBLEU and rouge-score compute for made-up texts.

    python tests/golden/make_metrics.py            writes metrics.json beside this script
    python tests/golden/make_metrics.py --check    compares it with what is computed now

Needs sacrebleu and rouge-score (the committed file was made with 2.6.0 and 0.1.2, Python 3.11). Only
metrics.json is needed to run the tests. It has

    texts      output and references of each text; the first reference alone is the corpus "first",
               all of them the corpus "all"
    tokenized  the output of each text as tokenized by 13a
    metrics    for each metric of Attune: signature, and for each corpus the score of all texts and
               those of single texts, in percent; for BLEU also precisions and brevity penalty
    words      str.split() and str.lower(): texts with their result, the white space of Unicode, and
               a checksum of lower() over all code points
    bootstrap  scores of resamples of two systems, with sacreBLEU's interval and p-value, and the
               interval for the BLEU of the corpus "first"
"""

import argparse
import json
import pathlib
import random
import sys

import numpy as np
from rouge_score import rouge_scorer
from sacrebleu import significance
from sacrebleu.metrics import BLEU, CHRF, TER

FILE = pathlib.Path(__file__).parent / "metrics.json"

TEXTS = [
    ("The cat sat on the mat.", "The cat sat on the mat."),
    ("the cat is on the mat", "The cat sat on the mat.", "There is a cat on the mat!"),
    ("the the the the the the the", "The cat is on the mat.", "the cat sits there"),
    ("It cost $1,000.50, or about 950.25 euros -- roughly.", "It costs $1,000.50 (about 950.25 euros)."),
    ("He said: &quot;I can't, I won't &amp; I shan't!&quot;", "He said: \"I can't, I won't & I shan't!\""),
    ("a &lt;b&gt; c &amp;lt; d", "a <b> c &lt; d", "a <b> c < d"),
    ("the years 1990-1999 and well-known 3-D films", "the years 1990 - 1999 and well known 3-D films"),
    ("see sec. 3.2, fig. 4, p.17.", "See Sec. 3.2, Fig. 4, p. 17."),
    ("Wait... what?! No,no,no.", "Wait ... what ?! No, no, no ."),
    (".5 and 5. and ,5 and 5, and 1.2.3", ".5 and 5 . and , 5 and 5 , and 1.2.3"),
    ("e-mail: john.doe@example.com, http://example.com/a_b?c=d&e=f#g", "email john.doe@example.com (http://example.com/a_b?c=d&e=f)"),
    ("'quoted' ‘curly’ “double” «guillemets» „low“", "\"quoted\" 'curly' \"double\" “guillemets” 'low'"),
    ("{braces} [brackets] ~tilde~ ^caret^ `tick` |pipe| \\slash\\", "{ braces } [ brackets ] tilde caret tick pipe slash"),
    ("100% of 5 + 3 = 8 * 1; a<b>c", "100 % of 5+3=8*1; a < b > c"),
    ("<skipped> nothing left", "nothing left <skipped>"),
    ("", "something"),
    ("something", ""),
    ("", ""),
    ("   ", "two words"),
    ("word", "word"),
    ("word", "other"),
    ("a", "a b c d e f g h"),
    ("a b", "a b", "a"),
    ("a b c", "a b c d"),
    ("one two three", "three two one", "two three one", "one three two"),
    ("d e f a b c", "a b c d e f"),
    ("x a b c d e f y", "a b c x y d e f"),
    ("to be or not to be that is the question", "to be or not to be , that is the question", "to not be or to be is a question"),
    ("again and again and again and again and again", "again and again, and never again"),
    ("Der schnelle braune Fuchs springt über den faulen Hund.", "Der flinke braune Fuchs sprang über den faulen Hund."),
    ("Die Straße nach Köln ist 12,5 km lang", "Die STRASSE nach KÖLN ist 12,5 Kilometer lang."),
    ("L'homme qu'il a vu n'est pas là aujourd'hui.", "L’homme qu’il a vu n’est plus là aujourd’hui !"),
    ("¿Dónde está la biblioteca? ¡Aquí!", "¿Donde esta la biblioteca? ¡Aqui!"),
    ("Ο ΟΔΥΣΣΕΥΣ ΗΤΑΝ ΕΔΩ.", "ο οδυσσευς ηταν εδω", "Ο Οδυσσεύς ήταν εκεί."),
    ("МОСКВА — столица России", "Москва - столица России.", "Москва является столицей РОССИИ"),
    ("İstanbul'da IŞIK var", "istanbul'da ışık var"),
    ("今天天气很好,我们去公园吧。", "今天天气很好，我们去公园散步吧。"),
    ("私は学生です。", "私は 学生 です 。", "僕は学生だ。"),
    ("나는 학교에 갑니다.", "나는 학교에 간다."),
    ("ฉันรักเธอ", "ฉันรักคุณ"),
    ("مرحبا بالعالم، كيف الحال؟", "مرحبا بالعالم كيف الحال؟"),
    ("שלום עולם", "שלום, עולם!"),
    ("नमस्ते दुनिया।", "नमस्ते, दुनिया।"),
    ("👍🏽 great 🎉🎉", "👍 great! 🎉", "👍🏽 great 🎉 🎉"),
    ("👩‍👩‍👧‍👦 family", "family 👩‍👩‍👧‍👦"),
    ("cafe\u0301 naïve résumé", "café naïve résumé", "cafe naive resume"),
    ("tab\tseparated\u00a0hard\u3000wide\u2009thin\u200bzero", "tab separated hard wide thin zero"),
    ("ＦＵＬＬ ｗｉｄｔｈ １２３", "FULL width 123"),
    ("<script>alert(\"x\")</script> & <b>bold</b>", "script alert x script bold"),
    ("A B C D E F G H I J", "j i h g f e d c b a", "a b c d e f g h i j"),
    ("one two three four\nfive six seven", "five six seven\none two four three", "one two\nthree"),
    ("The police killed the gunman.\nHe was 30.", "The gunman was killed by police.\n\nHe was thirty years old."),
    ("end-\nof line and - dash", "end of line and-dash"),
    ("I saw the man with the telescope yesterday evening", "yesterday evening I saw the man with the telescope"),
    ("(hi) (hello world)! ...and so on;", "( hi ) ( hello world ) ! ... and so on ;"),
    ("K\u212Bngstr\u00f6m \u1e9e DŽ Ǆ ﬁ", "kångström ß dž ǆ fi"),
]

random.seed(4)
WORDS = "a of the in on time year people way day man thing woman life child world school state".split()


def shuffled(count, swaps):
    """A text of random words, and the same with some phrases moved."""
    words = [random.choice(WORDS) for _ in range(count)]
    moved = list(words)
    for _ in range(swaps):
        begin, length = random.randrange(count), random.randrange(1, 6)
        phrase = moved[begin:begin + length]
        del moved[begin:begin + length]
        target = random.randrange(len(moved) + 1)
        moved[target:target] = phrase
    return " ".join(moved), " ".join(words)


TEXTS += [shuffled(12, 1), shuffled(30, 3), shuffled(30, 10), shuffled(80, 4), shuffled(120, 30)]
TEXTS += [("lonely", " ".join(random.choice(WORDS) for _ in range(150)) + " lonely")]
TEXTS += [(" ".join(random.choice(WORDS) for _ in range(150)) + " lonely", "lonely day")]
TEXTS += [("thing " * 60 + "one", "one " + "thing " * 55)]  # shifts to everywhere
TEXTS += [("x" * 1000, "x" * 999 + "y")]

METRICS = {
    "bleu": BLEU(),
    "bleu:lowercase=true": BLEU(lowercase=True),
    "bleu:tokenize=none": BLEU(tokenize="none"),
    "bleu:tokenize=char": BLEU(tokenize="char"),
    "bleu:smooth=none": BLEU(smooth_method="none"),
    "bleu:smooth=floor": BLEU(smooth_method="floor"),
    "bleu:smooth=floor,smooth_value=0.5": BLEU(smooth_method="floor", smooth_value=0.5),
    "bleu:smooth=add-k": BLEU(smooth_method="add-k"),
    "bleu:effective_order=true": BLEU(effective_order=True),
    "bleu:effective_order=true,smooth=add-k,smooth_value=2":
        BLEU(effective_order=True, smooth_method="add-k", smooth_value=2),
    "chrf": CHRF(),
    "chrf++": CHRF(word_order=2),
    "chrf:lowercase=true": CHRF(lowercase=True),
    "chrf++:char_order=4,beta=1,word_order=3": CHRF(char_order=4, word_order=3, beta=1),
    "ter": TER(),
    "ter:case_sensitive=true": TER(case_sensitive=True),
}
ROUGE = ["rouge1", "rouge2", "rougeL", "rougeLsum"]


def corpora():
    """The references of each text, for each corpus."""
    return {
        "first": [list(text[1:2]) for text in TEXTS],
        "all": [list(text[1:]) for text in TEXTS],
    }


def streams(references):
    """References in sacreBLEU's order: the first of each text, the second of each text, ..."""
    most = max(len(of_text) for of_text in references)
    return [[of_text[i] if i < len(of_text) else None for of_text in references] for i in range(most)]


def values_of(metric, references):
    outputs = [text[0] for text in TEXTS]
    corpus = metric.corpus_score(outputs, streams(references))
    result = {
        "signature": f"{corpus.name}|{metric.get_signature()}".split("|version")[0],
        "score": corpus.score,
        "texts": [metric.sentence_score(*pair).score for pair in zip(outputs, references)],
    }
    if isinstance(metric, BLEU):
        result["details"] = {f"precision_{n + 1}": p for n, p in enumerate(corpus.precisions)}
        result["details"] |= {"brevity_penalty": corpus.bp, "output_length": corpus.sys_len,
                              "reference_length": corpus.ref_len}
    return result


def rouge_of(name, references):
    scorer = rouge_scorer.RougeScorer([name])
    scores = [scorer.score_multi(pair[1], pair[0])[name]
              for pair in zip([text[0] for text in TEXTS], references)]
    mean = lambda values: 100 * sum(values) / len(TEXTS)
    return {
        "score": mean(score.fmeasure for score in scores),
        "texts": [100 * score.fmeasure for score in scores],
        "details": {"precision": mean(score.precision for score in scores),
                    "recall": mean(score.recall for score in scores)},
    }


def words():
    texts = ["", "ΑΣ ΑΣΑ Σ ΣΑ Α.Σ ΑΣ’ ΑΣ\u0301 1Σ ΑΣΣ. ΑΣ,Α", "İI ı ǅ ǈ ẞ Ω K Å Ⴀ Ꭰ ꭰ 𐐀 Ⓐ", "\u00a0a\x1cb\u3000\u2028c\u200bd\x85 e"]
    checksum = 0
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000:
            for lower in chr(c).lower():
                checksum = (checksum * 31 + c + ord(lower)) % 2**64
    return {
        "texts": [[text, text.split(), text.lower()] for text in texts],
        "spaces": [c for c in range(0x110000) if chr(c).isspace()],
        "lower_checksum": str(checksum),
    }


def bootstrap():
    outputs = [text[0] for text in TEXTS]
    others = [" ".join(output.split()[:-1]) if i % 3 else output for i, output in enumerate(outputs)]
    metric, references = BLEU(), streams(corpora()["first"])
    stats = [np.array(metric._extract_corpus_statistics(system, references), dtype=float)
             for system in (outputs, others)]
    scores = [metric._compute_score_from_stats(list(s.sum(0))).score for s in stats]
    generator = np.random.default_rng(12345)
    draws = generator.choice(len(TEXTS), size=(1000, len(TEXTS)))
    samples = [np.array([metric._compute_score_from_stats(list(s[d].sum(0))).score for d in draws])
               for s in stats]
    ordered = np.sort(samples[0])
    some = [s[:200].round(6) for s in samples]
    differences = np.abs(some[1] - some[0])
    ci = np.sort(some[0])
    return {
        "first": list(some[0]), "second": list(some[1]), "difference": scores[0] - scores[1],
        "p_value": significance._compute_p_value(differences - differences.mean(),
                                                 abs(scores[0] - scores[1])),
        "low": ci[200 // 40], "high": ci[200 - 200 // 40 - 1],
        "corpus": {"low": ordered[25], "high": ordered[974]},
    }


def golden():
    tokenizer = BLEU().tokenizer
    metrics = {name: {corpus: values_of(metric, references) for corpus, references in corpora().items()}
               for name, metric in METRICS.items()}
    metrics |= {name: {corpus: rouge_of(name, references) for corpus, references in corpora().items()}
                for name in ROUGE}
    return {
        "texts": [{"output": text[0], "references": list(text[1:])} for text in TEXTS],
        "tokenized": [tokenizer(text[0].rstrip()) for text in TEXTS],
        "metrics": metrics,
        "words": words(),
        "bootstrap": bootstrap(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    text = json.dumps(golden(), ensure_ascii=False, indent=0, separators=(",", ":")) + "\n"
    if not check:
        FILE.write_text(text, encoding="utf-8")
    elif text != FILE.read_text(encoding="utf-8"):
        sys.exit(f"{FILE} is not what is computed now")


if __name__ == "__main__":
    main()
