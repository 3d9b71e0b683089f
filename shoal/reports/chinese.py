"""The wording of reports in traditional Chinese (zh-TW), by the English it stands for."""

from __future__ import annotations

TRADITIONAL = {
    # The whole
    "What belongs together in {n:,} {n:image|images}": "{n:,} 張影像中，哪些屬於同一類",
    "A report by shoal on {names}; learned without labels from these images alone.":
        "shoal 對 {names} 的報告；只從這些影像學習，未使用任何標籤。",
    "page {n}": "第 {n} 頁",
    "Contents": "目錄",
    "Dark page": "深色頁面",
    "To the text": "跳至內文",
    # Can it be trusted
    "Can these groups be trusted? Yes, as far as can be told without labels.":
        "這些群組可信嗎？可信，就沒有標籤所能判斷者而言。",
    "Can these groups be trusted? In part.": "這些群組可信嗎？部分可信。",
    "Can these groups be trusted? No.": "這些群組可信嗎？不可信。",
    "Can these groups be trusted? That is not known.": "這些群組可信嗎？無從得知。",
    "All images are in one group, so nothing was told apart.":
        "所有影像都落在同一群組：什麼也沒有分開。",
    "About {right:.0%} of the images are probably in the right group; nine times in ten it is "
    "between {low:.0%} and {high:.0%}. Random groups would reach {chance:.0%}.":
        "約 {right:.0%} 的影像可能分到正確的群組；十次中有九次介於 {low:.0%} 到 {high:.0%}。"
        "隨機分群則為 {chance:.0%}。",
    "Between {low:.0%} and {high:.0%} of the images are probably in the right group; {n:,} "
    "{n:image is|images are} too few to tell more exactly. Random groups would reach {chance:.0%}.":
        "{low:.0%} 到 {high:.0%} 的影像可能分到正確的群組；{n:,} 張影像太少，無法更精確。"
        "隨機分群則為 {chance:.0%}。",
    "{share:.0%} of the images stay in their group when they are cropped, turned and recoloured a "
    "little.":
        "稍加裁切、旋轉與變色後，{share:.0%} 的影像仍留在原群組。",
    "{share:.0%} of the images get the same group when only half of the images form the groups.":
        "只用一半影像重新分群時，{share:.0%} 的影像分法相同。",
    "The groups are consistent ({score:.2f} of 1): they hardly change when images are shown a "
    "little differently.":
        "群組是一致的（{score:.2f}，滿分 1）：影像換個樣子呈現時，群組幾乎不變。",
    "The groups are consistent in part ({score:.2f} of 1): many images change their group when "
    "they are shown a little differently.":
        "群組部分一致（{score:.2f}，滿分 1）：影像換個樣子呈現時，許多會換到別的群組。",
    "The groups are not consistent ({score:.2f} of 1): they depend on how the images happen to be "
    "shown.":
        "群組不一致（{score:.2f}，滿分 1）：群組取決於影像碰巧呈現的樣子。",
    "Nothing was measured to judge the groups by: there are too few images, or an older version of "
    "shoal trained the checkpoint.":
        "沒有可供判斷的測量：影像太少，或由舊版 shoal 訓練。",
    "{n:,} other {n:way|ways} to divide the pile {n:is|are} about as clear. Only you can tell "
    "which one you want.":
        "另有 {n:,} 種分法同樣清楚：要哪一種，只有您能決定。",
    "What to do next": "接下來可做什麼",
    "Look at the groups: the typical images of each, and the images it is least sure of.":
        "看看各群組：各自的典型成員，以及最不確定的成員。",
    "Check the images: are they the ones you meant to give?": "檢查影像：是否就是您要提供的？",
    "Look at the other ways to divide the pile: {command}.": "看看其他分法：{command}。",
    "Train longer: {command}.": "訓練更久：{command}。",
    "Train on larger images: {command}.": "用更大的影像訓練：{command}。",
    "Try another number of groups: {command}.": "試試其他群組數：{command}。",
    "Copy the images into one folder for each group: {command}.":
        "將影像依群組複製到各資料夾：{command}。",
    "Write the group of each image to a file: {command}.": "寫出每張影像的群組：{command}。",
    # What was improved
    "What was improved": "改進了什麼",
    "How good it is": "成果如何",
    "measure": "指標",
    "accuracy of {n:,} labelled {n:image|images}": "{n:,} 張有標籤影像的準確率",
    "its 95 % interval": "其 95 % 信賴區間",
    "reconstruction MSE of {n:,} {n:image|images}": "{n:,} 張影像的重建 MSE",
    "training time": "訓練時間",
    "measure, without labels": "指標（無標籤）",
    "expected share of images in the right group": "預期分到正確群組的影像比例",
    "images that stay in their group when shown differently": "換個樣子呈現仍留在原群組的影像",
    "images put alike by groups of half of them": "只用一半影像重新分群時分法相同的影像",
    "images put alike by other methods": "其他方法分法相同的影像",
    "images found again among their nearest by another view": "換個樣子仍在自己最近鄰居中的影像",
    "consistency under augmentation": "擴增下的一致性",
    "not recorded": "未記錄",
    "{minutes:.1f} min": "{minutes:.1f} 分鐘",
    "{seconds:.0f} s": "{seconds:.0f} 秒",
    "No labels were given: accuracy, NMI and ARI are left out, and so are the maps coloured by "
    "label.": "沒有提供標籤：省略準確率、NMI、ARI，以及依標籤上色的圖。",
    "One checkpoint was given, and none before it: there is nothing to compare it with.":
        "只提供了一個檢查點，沒有改進前的檢查點可供比較。",
    "Of the {n:,} labelled images {after} gets {gained:,} right that {before} got wrong, and "
    "{lost:,} wrong that it got right (McNemar's exact test: p = {p}).":
        "在 {n:,} 張有標籤的影像中，{before} 分錯而 {after} 分對的有 {gained:,} 張，"
        "{before} 分對而 {after} 分錯的有 {lost:,} 張（McNemar 精確檢定：p = {p}）。",
    "Clusters bear the names that fit the labels best.": "群集的名稱取與標籤最相符者。",
    "The embedding of the labelled images": "有標籤影像的嵌入",
    "The {n:,} labelled images in the embedding, coloured by label. {told}. Both maps are centred "
    "and scaled alike, so that 99 % of the images lie within.":
        "{n:,} 張有標籤影像的嵌入，依標籤上色。{told}。兩張圖以相同規則置中與縮放，"
        "使 99 % 的影像落在框內。",
    "{reduced}, as it is": "{reduced}，直接畫出",
    "{reduced} ({d} numbers), laid out by t-SNE with perplexity 30":
        "{reduced}（{d} 維），以 t-SNE（perplexity 30）排列",
    "Every setting that changed from {a} to {b}": "由 {a} 到 {b} 所有改變的設定",
    "setting": "設定",
    "gain in accuracy": "準確率增減",
    "not measured": "未測量",
    "Settings with the same letter were changed together. What each change gave by itself, all "
    "else equal (means over the seeds):":
        "字母相同的設定一併改變。其他條件不變時，各項改變單獨的效益（各種子的平均）：",
    "{letter}, {what}: accuracy {before:.3f} → {after:.3f} ({gain:+.3f}; seeds {seeds}; {source})":
        "{letter}，{what}：準確率 {before:.3f} → {after:.3f}"
        "（{gain:+.3f}；種子 {seeds}；{source}）",
    "What each change gave alone was not measured.": "沒有單獨測量各項改變的效益。",
    # Reconstructions
    "Reconstructions": "重建",
    "image {i}": "影像 {i}",
    "original": "原圖",
    "rebuilt": "重建",
    "Images above what {name} makes of their code, {why}. MSE: mean squared error of the pixels in "
    "0 to 1; over all {n:,} {n:image|images} it is {mse:.4f}.":
        "上列為原圖，下列為 {name}（{why}）由編碼重建的影像。MSE：像素值（0 到 1）的均方誤差；"
        "全部 {n:,} 張影像為 {mse:.4f}。",
    "the most accurate of the checkpoints": "最準確的檢查點",
    "the last of the checkpoints given, as there are no labels to choose by":
        "所提供的最後一個檢查點，因為沒有標籤可供選擇",
    # Checkpoints
    "Checkpoints": "檢查點",
    "The {count} checkpoints kept while {name} was trained. The MSE is of all {n:,} "
    "{n:image|images}. The "
    "clusters of each were found anew among {clustered:,} of the images, its label-free scores are "
    "of {scored:,} (see 'shoal evaluate --no-labels').":
        "訓練 {name} 時保留的 {count} 個檢查點。MSE 以全部 {n:,} 張影像計算。"
        "每個檢查點都在 {clustered:,} 張影像上重新分群，其無標籤分數以 {scored:,} 張影像計算"
        "（見 'shoal evaluate --no-labels'）。",
    "The checkpoints along the way were not measured, to save time; 'shoal report' does.":
        "為節省時間未測量途中的檢查點；'shoal report' 會測量。",
    "In the time there was, {measured} of the {kept} checkpoints kept along the way were measured; "
    "'shoal report' measures all.":
        "在可用的時間內，測量了途中保留的 {kept} 個檢查點中的 {measured} 個；'shoal report' 會"
        "全部測量。",
    "Reconstruction MSE and label-free scores of each checkpoint, against the epoch; above, the "
    "step.":
        "各檢查點的重建 MSE 與無標籤分數，橫軸為訓練週期（epoch），上方為步數。",
    "Reconstruction MSE, accuracy (shaded: its 95 % interval) and label-free scores of each "
    "checkpoint, against the epoch; above, the step.":
        "各檢查點的重建 MSE、準確率（淺色為其 95 % 信賴區間）與無標籤分數，"
        "橫軸為訓練週期（epoch），上方為步數。",
    "epoch": "週期",
    "step": "步數",
    "accuracy": "準確率",
    "epoch (passes over all images)": "訓練週期 epoch（看過全部影像的次數）",
    "step (batches)": "步數 step（批次）",
    "reconstruction MSE\n(pixels in 0 to 1)": "重建 MSE\n（像素 0 到 1）",
    "accuracy\n(95 % interval)": "準確率\n（95 % 信賴區間）",
    "label-free scores": "無標籤分數",
    "label-free score": "無標籤總分",
    "view agreement": "視角一致性",
    "recognition": "辨識率",
    "neighbour purity": "鄰居純度",
    "silhouette": "輪廓係數",
    "No labels were given: the accuracy is left out.": "沒有提供標籤：省略準確率。",
    # Observations
    "What these numbers say": "這些數字說明了什麼",
    "The reconstruction MSE": "重建 MSE",
    "The accuracy": "準確率",
    "The label-free score": "無標籤總分",
    "the MSE": "MSE",
    "the {what}": "{what}",
    "These intervals take the checkpoints for independent of one another. Those of one run are "
    "not: what merely rises or falls with training goes together, and the intervals are too narrow "
    "rather than too wide.":
        "這些信賴區間假設各檢查點彼此獨立。同一次訓練的檢查點並非如此："
        "只隨訓練上升或下降的數值也會相關，因此區間寧可視為過窄，而非過寬。",
    "{what} goes from {first} (epoch {a:.1f}) to {last} (epoch {b:.1f}), its lowest {low} at epoch "
    "{at_low:.1f}, its highest {high} at epoch {at_high:.1f}; from one checkpoint to the next it "
    "falls {falls} of {n} times and rises {rises}.":
        "{what}由 {first}（週期 {a:.1f}）變為 {last}（週期 {b:.1f}），"
        "最低為 {low}（週期 {at_low:.1f}），最高為 {high}（週期 {at_high:.1f}）；"
        "相鄰檢查點間的 {n} 次變化中，下降 {falls} 次，上升 {rises} 次。",
    "From one checkpoint to the next the accuracy changes by {mean:.3f} on average and by "
    "{most:.3f} at most (epoch {a:.1f} to {b:.1f}); with {n:,} labelled images, {half:.3f} either "
    "way is within the 95 % interval of a single one.":
        "相鄰檢查點的準確率平均相差 {mean:.3f}，最多相差 {most:.3f}"
        "（週期 {a:.1f} 到 {b:.1f}）；以 {n:,} 張有標籤影像計算，"
        "單一檢查點的 95 % 信賴區間為上下各 {half:.3f}。",
    "Rank correlation of {what} with the accuracy: none, as one of them does not change.":
        "{what}與準確率的等級相關：無法計算，因為其中之一沒有變化。",
    "Rank correlation (Spearman) of {what} with the accuracy: {rho:+.2f}, 95 % interval {low:+.2f} "
    "to {high:+.2f} over {n} checkpoints":
        "{what}與準確率的等級相關（Spearman）：{rho:+.2f}，{n} 個檢查點的 95 % 信賴區間為 "
        "{low:+.2f} 到 {high:+.2f}",
    "; it may as well be none.": "；也可能毫無相關。",
    ".": "。",
    "the lowest MSE": "MSE 最低者",
    "the highest {what}": "{what}最高者",
    "{what}: epoch {epoch:.1f}": "{what}：週期 {epoch:.1f}",
    "{what}: epoch {epoch:.1f}, accuracy {accuracy:.3f}":
        "{what}：週期 {epoch:.1f}，準確率 {accuracy:.3f}",
    "The best checkpoint by {listed}.": "依各指標選出的檢查點：{listed}。",
    "The most accurate checkpoint is that of epoch {epoch:.1f} ({accuracy:.3f}). Chosen by "
    "{listed}.":
        "最準確的是週期 {epoch:.1f} 的檢查點（{accuracy:.3f}）。依各指標選出者：{listed}。",
    # What was found
    "What was found": "找到了什麼",
    "{n:,} {n:image|images} in {k} {k:cluster|clusters}, mean confidence {confidence:.3f}, by "
    "{name}.":
        "{n:,} 張影像分為 {k} 群，平均信心為 {confidence:.3f}，由 {name} 分群。",
    "Warnings": "警告",
    "{n:,} {n:image is an exact copy of another|images are exact copies of others}.":
        "有 {n:,} 張影像與其他影像完全相同。",
    "The map": "分布圖",
    "Every image a dot, coloured by its cluster: t-SNE of the embedding in which the clusters were "
    "found, with perplexity 30.":
        "每個點是一張影像，依群集上色：分群所用嵌入的 t-SNE（perplexity 30）。",
    "map axis 1 (no unit)": "圖軸 1（無單位）",
    "map axis 2 (no unit)": "圖軸 2（無單位）",
    "The clusters": "各群集",
    "cluster": "群集",
    "images": "影像",
    "share": "比例",
    "mean confidence": "平均信心",
    "next cluster": "相鄰群集",
    "neighbours there": "鄰居落於其中",
    "{n} smaller {n:cluster is|clusters are} not shown.": "另有 {n} 個較小的群集未顯示。",
    "{c} typical": "{c} 典型",
    "{c} unsure": "{c} 不確定",
    "{c} next to {d}": "{c} 鄰近 {d}",
    "Of each cluster its most typical members (nearest to its median), those it is least sure of, "
    "and those with most of their {k} nearest neighbours in the cluster next to it.":
        "各群集中最典型的成員（最接近中位數者）、最不確定的成員，"
        "以及 {k} 個最近鄰居中最多落在相鄰群集的成員。",
    "Continued.": "續上圖。",
    "How sure": "有多確定",
    "confidence": "信心",
    "images (log scale)": "影像數（對數）",
    "the others": "其他",
    "Confidence of {n:,} {n:image|images}: a tenth is below {tenth:.3f}, half below {half:.3f}.":
        "{n:,} 張影像的信心：十分之一低於 {tenth:.3f}，一半低於 {half:.3f}。",
    "Other ways to divide the pile": "其他分法",
    "The first is the one chosen; 'shoal splits' draws members of each, and 'shoal predict … "
    "--split N' uses the N-th.":
        "第一個是所選的分法；'shoal splits' 可畫出各分法的成員，"
        "'shoal predict … --split N' 則採用第 N 個分法。",
    "split": "分法",
    "images in each": "各群影像數",
    "separation": "分離度",
    "pixels explain": "像素可解釋",
    "Clusters and labels": "群集與標籤",
    "label": "標籤",
    "{n:,} labelled {n:image|images} by label and cluster; dark is a large share of the label.":
        "{n:,} 張有標籤影像依標籤與群集的張數；顏色越深，佔該標籤的比例越大。",
    "{label} in {c}": "{label} 在 {c}",
    "The worst of {n:,} {n:mistake|mistakes}: labelled images in the wrong cluster of which it "
    "is most sure, "
    "by label and cluster.":
        "{n:,} 個錯誤中最嚴重者：信心最高卻分錯群集的有標籤影像，依標籤與群集排列。",
    "There are no mistakes.": "沒有錯誤。",
    "No labels were given: the confusion matrix and the mistakes are left out.":
        "沒有提供標籤：省略混淆矩陣與錯誤。",
    # How it was made
    "How it was made": "如何產生",
    "The commands, from the images to this report:": "由影像到本報告的指令：",
    "Images, by the digest of their pixels:": "影像及其像素的雜湊值：",
    "number": "數量",
    "learned from": "用於學習",
    "measured on": "用於測量",
    "Each checkpoint: how it was trained, and every setting of its recipe:":
        "各檢查點：訓練方式與配方的所有設定：",
    "what": "項目",
    "This report: {when}, {machine}, Python {python}, {versions}.":
        "本報告：{when}，{machine}，Python {python}，{versions}。",
    # The map to explore
    "Map of the images": "影像分布圖",
    "Every dot is an image. What the model finds alike is near; a colour is a cluster.":
        "每個點是一張影像。模型認為相似者彼此靠近；一種顏色是一個群集。",
    "The map needs JavaScript, which is off in this browser.":
        "分布圖需要 JavaScript，而此瀏覽器已將其關閉。",
    "Find an image by its name": "依名稱尋找影像",
    "Find": "尋找",
    "Zoom in": "放大",
    "Zoom out": "縮小",
    "Show the whole map": "顯示整張圖",
    "Zoom with the wheel or two fingers until the dots become pictures, drag to move, click an "
    "image to keep it in view. On the keyboard: arrows go from image to image, + and − zoom, 0 "
    "shows the whole map, Escape clears.":
        "以滾輪或雙指縮放，放大後點會變成影像；拖曳可移動，按一下影像可固定顯示。"
        "鍵盤：方向鍵在影像間移動，+ 與 − 縮放，0 顯示整張圖，Escape 清除。",
    "Clusters": "群集",
    "Show all": "全部顯示",
    "Gallery": "圖庫",
    "Order": "排序",
    "most typical first": "最典型者在前",
    "least certain first": "最不確定者在前",
    "as in the pile": "依原順序",
    "Previous page": "上一頁",
    "Next page": "下一頁",
    "cluster {number}": "群集 {number}",
    "confidence {value}": "信心 {value}",
    "image {name}, cluster {number}, confidence {value}":
        "影像 {name}，群集 {number}，信心 {value}",
    "{first} to {last} of {total}": "第 {first} 到 {last} 張，共 {total} 張",
    "{position} of {total}": "第 {position} 張，共 {total} 張",
    "no image has this name": "沒有這個名稱的影像",
    "{shown} of {total} images": "{total} 張影像中的 {shown} 張",
    "{shown:,} of {total:,} images are here, drawn at random.":
        "此處為 {total:,} 張影像中隨機抽取的 {shown:,} 張。",
    "Pictures are shrunk to {width} × {height} pixels, to keep this page small.":
        "影像縮小為 {width} × {height} 像素，以縮小此頁面。",
}  # fmt: skip

OF_CHECKPOINTS = {
    "batch norm, a short code, AdamW with cosine, in the course's clustering":
        "批次正規化、短編碼、AdamW 與餘弦排程，採課程的分群方式",
    "colours disturbed on the way in, in the course's clustering":
        "擾動輸入影像的顏色，採課程的分群方式",
    "a cut of the neighbour graph in place of kernel PCA, t-SNE and k-means":
        "以近鄰圖切割取代 kernel PCA、t-SNE 與 k-means",
    "contrastive learning, in the cut of the neighbour graph":
        "對比學習，採近鄰圖切割",
    "projection pursuit in what encoder and head see together":
        "在編碼器與投影頭的聯合嵌入中做投影追蹤",
    "images embedded half as large again, too":
        "影像另放大一半嵌入，取平均",
    "two small views more, in as much time":
        "每張影像另取兩張小圖，訓練時間相同",
    "two local crops more, in as much time":
        "每張影像另取兩張小圖，訓練時間相同",
}  # fmt: skip
"""What `benchmarks/contributions.py` keeps in checkpoints of each change that was measured."""
