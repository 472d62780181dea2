"""Makes pictures.zip: small pictures of every form, and what Pillow reads from each (NAME.npy beside NAME). Needs numpy, Pillow and, for the rarer JPEG
samplings, opencv-python. resized-*.npy are what Image.resize(..., BILINEAR) makes of full.png."""
import io
import zipfile

import cv2
import numpy as np
from PIL import Image

rng = np.random.default_rng(1)
out = zipfile.ZipFile("pictures.zip", "w", zipfile.ZIP_DEFLATED)


def smooth(h, w):
    small = rng.integers(0, 256, (max(2, h // 6), max(2, w // 6), 3), dtype="uint8")
    return Image.fromarray(small).resize((w, h), Image.BICUBIC)


def noise(h, w, c=3):
    a = rng.integers(0, 256, (h, w, c), dtype="uint8")
    return Image.fromarray(a[:, :, 0] if c == 1 else a)


def put(name, data, mode="RGB"):
    with out.open(name, "w") as f:
        f.write(data)
    array(name + ".npy", np.asarray(Image.open(io.BytesIO(data)).convert(mode)))


def array(name, a):
    b = io.BytesIO()
    np.save(b, a)
    with out.open(name, "w") as f:
        f.write(b.getvalue())


def saved(image, form, **how):
    b = io.BytesIO()
    image.save(b, form, **how)
    return b.getvalue()


for k, (h, w) in enumerate([(17, 23), (16, 32), (9, 5), (1, 1), (2, 3), (33, 4), (40, 41)]):
    for s, sampling in enumerate(["444", "422", "420"]):
        image = noise(h, w) if (k + s) % 3 == 0 else smooth(h, w)
        quality = [50, 75, 95, 100][(k + s) % 4]
        put(f"{sampling}-{w}x{h}.jpg", saved(image, "JPEG", subsampling=s, quality=quality, progressive=bool((k + s) % 2)))
    for sampling, factor in [("440", 0x121111), ("411", 0x411111)]:
        image = np.ascontiguousarray(np.asarray(noise(h, w) if k % 2 else smooth(h, w))[:, :, ::-1])
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor, cv2.IMWRITE_JPEG_QUALITY, 90])
        put(f"{sampling}-{w}x{h}.jpg", data.tobytes())
    put(f"lossy-{w}x{h}.webp", saved(smooth(h, w), "WEBP", quality=80))
put("gray.jpg", saved(smooth(19, 21).convert("L"), "JPEG", quality=90))
put("cmyk.jpg", saved(smooth(19, 21).convert("CMYK"), "JPEG", quality=90))
put("lossless.webp", saved(noise(7, 9), "WEBP", lossless=True))
put("full.bmp", saved(noise(7, 9), "BMP"))
put("gray.bmp", saved(noise(7, 9, 1), "BMP"))
put("palette.gif", saved(smooth(20, 30).convert("P", palette=Image.ADAPTIVE), "GIF"))
put("packed.tif", saved(noise(7, 9), "TIFF", compression="tiff_lzw"))
put("alpha.png", saved(noise(7, 9, 4), "PNG"))
put("gray-alpha.png", saved(noise(7, 9, 4).convert("LA"), "PNG"))
put("palette.png", saved(smooth(20, 30).convert("P", palette=Image.ADAPTIVE), "PNG"))
full = smooth(30, 44)
put("full.png", saved(full, "PNG"))
array("luma.npy", np.asarray(full.convert("L")))
for w, h in [(28, 28), (11, 7), (60, 50), (44, 12), (1, 1)]:
    array(f"resized-{w}x{h}.npy", np.asarray(full.resize((w, h), Image.BILINEAR)))
deep = rng.integers(0, 65536, (5, 6), dtype="uint16")
with out.open("deep.png", "w") as f:
    f.write(saved(Image.fromarray(deep), "PNG"))
array("deep.png.npy", deep)
out.close()
