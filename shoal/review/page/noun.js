/** What one thing of the pile is called. This place alone knows it: vectors without pictures are not called images. */

let vectors = false;

/** @param {string} noun of the pile: image or vector */
export const speakOf = (noun) => { vectors = noun === "vector"; };

/**
 * A text of the page in the noun of the pile. What a person wrote is no such text.
 * @param {string} text
 */
export const inNoun = (text) => (vectors ? text.replace(/\b(?:(a)n )?(i)mage(s?)\b/gi, (_, a, i, s) => `${a ? `${a} ` : ""}${i === "I" ? "V" : "v"}ector${s}`) : text);

/**
 * A template in the noun of the pile; its values, such as names, stay as they are.
 * @param {TemplateStringsArray} texts
 * @param {...unknown} values
 */
export const spoken = (texts, ...values) => texts.map((text, i) => `${inNoun(text)}${i < values.length ? values[i] : ""}`).join("");
