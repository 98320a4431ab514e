"""A second verifier of what those see of a ledger who may not read all of it.

It was written from FORMAT.md, and knows nothing of the first. It takes a folder with what a server
shows (checkpoint, tile/released/...), or the file of a bundle; and the checkpoint key:

    second_verifier.py FOLDER|FILE KEY

It prints the size and the root of the tree, how many records are withheld, and whether the checkpoint
is signed with the key, as JSON. It ends with an error when the records do not make the root.
"""

import base64
import hashlib
import json
import os
import sys

WIDTH = 256


def leaf_hash(record):
    return hashlib.sha256(b"\0" + record).digest()


def root_of(leaves):
    """RFC 6962, section 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def read_checkpoint(note):
    """C2SP tlog-checkpoint: the origin, the size, the root, and what was signed."""
    text, _, signatures = note.rpartition(b"\n\n")
    lines = text.split(b"\n")
    root = base64.b64decode(lines[2], validate=True)
    return lines[0].decode(), int(lines[1]), root, text + b"\n", signatures


def tile_path(number, width):
    digits = "%03d" % (number % 1000)
    while number >= 1000:
        number //= 1000
        digits = "x%03d/%s" % (number % 1000, digits)
    return digits if width == WIDTH else "%s.p/%d" % (digits, width)


def of_folder(folder):
    with open(os.path.join(folder, "checkpoint"), "rb") as f:
        note = f.read()
    size = read_checkpoint(note)[1]
    leaves, withheld = [], 0
    while len(leaves) < size:
        number, width = len(leaves) // WIDTH, min(WIDTH, size - len(leaves))
        with open(os.path.join(folder, "tile", "released", tile_path(number, width)), "rb") as f:
            tile = f.read()
        at, end = 0, len(leaves) + width
        while at < len(tile):
            if tile[at] == 0:
                length = int.from_bytes(tile[at + 1 : at + 3], "big")
                record = tile[at + 3 : at + 3 + length]
                if len(record) != length or length == 0:
                    raise ValueError("the tile ends in the middle of a record")
                leaves.append(leaf_hash(record))
                at += 3 + length
            elif tile[at] == 1 and at + 33 <= len(tile):
                leaves.append(tile[at + 1 : at + 33])
                withheld += 1
                at += 33
            else:
                raise ValueError("the tile has an entry that is none")
        if len(leaves) != end:
            raise ValueError("the tile has not as many entries as it should")
    return note, leaves, withheld


def of_bundle(path):
    with open(path, "rb") as f:
        data = f.read()
    at = 0

    def row():
        nonlocal at
        end = data.index(b"\n", at)
        words = data[at:end].decode().split(" ")
        at = end + 1
        return words

    def block(words):
        nonlocal at
        length = int(words[-1])
        text = data[at : at + length]
        if len(text) != length or not text.endswith(b"\n"):
            raise ValueError("a block ends too early")
        at += length
        return text

    if row() != ["muster-bundle", "v2", "ledger"]:
        raise ValueError("this is no bundle of a ledger in a view")
    words = row()
    if words[0] == "key":
        words = row()
    if words[0] != "view" or words[1] == "coordinators":
        raise ValueError("the bundle names no view")
    told = "coalition" if words[1] == "public" else "coordinators"
    words = row()
    if words[0] != "checkpoint":
        raise ValueError("the bundle has no checkpoint")
    note = block(words)
    leaves, withheld = [], 0
    while True:
        words = row()
        if words[0] == "end":
            break
        if int(words[1]) != len(leaves) + 1:
            raise ValueError("record %d is missing" % (len(leaves) + 1))
        if words[0] == "withheld" and words[3:] == [told]:
            leaves.append(base64.b64decode(words[2], validate=True))
            withheld += 1
        elif words[0] == "record":
            leaves.append(leaf_hash(block(words)))
        else:
            raise ValueError("a line is none of a bundle")
    if words[1:] != [str(len(leaves) - withheld), str(withheld)] or at != len(data) or withheld == 0:
        raise ValueError("the bundle does not end as it should")
    return note, leaves, withheld


# Ed25519 (RFC 8032), slow and plain.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def decode_point(s):
    y = int.from_bytes(s, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - x2) % P or y >= P:
        raise ValueError("no point of the curve")
    return (P - x if x & 1 != sign else x), y


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    xy = D * x1 * x2 * y1 * y2
    x3 = (x1 * y2 + x2 * y1) * pow(1 + xy, P - 2, P) % P
    y3 = (y1 * y2 + x1 * x2) * pow(1 - xy, P - 2, P) % P
    return x3, y3


def multiply(n, point):
    total = (0, 1)
    while n:
        if n & 1:
            total = add(total, point)
        point, n = add(point, point), n >> 1
    return total


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def verifies(public, message, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
    return s < L and multiply(s, BASE) == add(decode_point(r), multiply(k, decode_point(public)))


def is_signed(text, signatures, key):
    """C2SP signed-note, by a key NAME+HASH+BASE64."""
    name, hash_, public = key.split("+", 2)
    public = base64.b64decode(public, validate=True)
    for line in signatures.decode().splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature, validate=True)
        if dash == "\u2014" and signer == name and signature[:4].hex() == hash_ and public[0] == 1:
            return verifies(public[1:], text, signature[4:])
    return False


def main(what, key):
    note, leaves, withheld = of_folder(what) if os.path.isdir(what) else of_bundle(what)
    origin, size, root, text, signatures = read_checkpoint(note)
    if size != len(leaves) or root_of(leaves) != root:
        raise ValueError("the records are not those of the checkpoint")
    signed = key.split("+")[0] == origin and is_signed(text, signatures, key)
    print(json.dumps({"size": size, "root": base64.b64encode(root).decode(), "withheld": withheld, "signed": signed}))


main(*sys.argv[1:])
