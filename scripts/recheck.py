#!/usr/bin/env python3
"""Proves again what a certificate claims: python3 recheck.py CERTIFICATE MODEL.onnx

The second checker of docs/certificate.md, written from that page alone: standard library only, exact arithmetic only. It knows ReLU networks with dense and
convolutional layers (Gemm, MatMul, Conv, Add, Sub, Flatten, Reshape, Identity, Relu). Numbers are integers times powers of two; boxes are rounded outward to
multiples of 2^-FINE, rows and constants not at all. Exit code 0: proven. 10: refused. 1: it cannot be read.
"""
import gzip, hashlib, json, struct, sys
from fractions import Fraction

FINE = 120  # boxes are in units of 2^-FINE
INF = None  # an end that is not known
STEEP, OWN = 128, 255  # the bytes of slope 1, and of a slope that is the checker's own


class Refused(Exception):
    pass


# ---- the model file: protobuf's wire format, and the few messages of ONNX that matter

def fields(data):
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            b = data[at]
            at += 1
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        else:
            n = {1: 8, 5: 4}.get(tag & 7) or varint()
            yield tag >> 3, data[at:at + n]
            at += n


def get(data, number):
    return [v for n, v in fields(data) if n == number]


def packed(values, code):
    out = []
    for v in values:
        if isinstance(v, int):
            out.append(v)
        elif code:
            out += struct.unpack("<%d%s" % (len(v) // struct.calcsize(code), code), v)
        else:
            out += [n for _, n in fields(b"".join(bytes([8]) + part for part in varints(v)))]
    return out


def varints(data):
    start = 0
    for i, b in enumerate(data):
        if b < 128:
            yield data[start:i + 1]
            start = i + 1


def signed(n):
    return n - (1 << 64) if n >> 63 else n


def tensor(t):
    dims = [signed(n) for n in packed(get(t, 1), None)]
    kind, raw = get(t, 2)[0], get(t, 9)
    code = {1: "f", 7: "q", 11: "d"}.get(kind)
    if code is None or get(t, 13):
        raise Refused("a tensor of type %d, or one that lies in another file" % kind)
    if raw and raw[0]:
        values = packed(raw, code)
    else:
        values = packed(get(t, {1: 4, 7: 7, 11: 10}[kind]), {1: "f", 7: None, 11: "d"}[kind])
        values = [signed(v) for v in values] if kind == 7 else values
    return dims, values


def attributes(node):
    out = {}
    for a in get(node, 5):
        name = get(a, 1)[0].decode()
        if get(a, 5):
            out[name] = tensor(get(a, 5)[0])
        elif get(a, 2):
            out[name] = struct.unpack("<f", get(a, 2)[0])[0]
        elif get(a, 8):
            out[name] = [signed(n) for n in packed(get(a, 8), None)]
        elif get(a, 3):
            out[name] = signed(get(a, 3)[0])
        elif get(a, 4):
            out[name] = get(a, 4)[0].decode()
    return out


def shape_of(info):
    dims = []
    for d in get(get(get(get(info, 2)[0], 1)[0], 2)[0], 1):
        dims.append(signed(get(d, 1)[0]) if get(d, 1) else 1)
    return [1] + dims[1:] if dims and dims[0] < 1 else dims


def size(shape):
    n = 1
    for d in shape:
        n *= d
    return n


# ---- the network: values in order, each an input, a sum of matrices of others with a bias, or the ReLU of one

class Value:
    def __init__(self, name, shape, kind, ins=(), maps=(), bias=None):
        self.name, self.shape, self.kind, self.n = name, shape, kind, size(shape)
        self.ins, self.bent = list(ins), False
        # Exactly: coefficient = integer * 2^-self.e, in rows of (column, integer), and so the bias.
        self.e = max([0] + [bits(w) for m in maps for row in m for _, w in row] + [bits(b) for b in bias or []])
        self.maps = [[[(j, whole(w, self.e)) for j, w in row if w] for row in m] for m in maps]
        self.bias = [whole(b, self.e) for b in bias] if bias else [0] * self.n


def bits(x):
    return Fraction(x).denominator.bit_length() - 1


def whole(x, e):
    return int(Fraction(x) * (1 << e))


class Network:
    def __init__(self, data, drop_softmax):
        graph = get(data, 7)[0]
        self.values, self.of, consts = [], {}, {}
        for t in get(graph, 5):
            consts[get(t, 8)[0].decode()] = tensor(t)
        for info in get(graph, 11):
            name = get(info, 1)[0].decode()
            if name not in consts:
                self.add(Value(name, shape_of(info), "input"))
        self.inputs = [i for i in range(len(self.values))]
        nodes = get(graph, 1)
        self.outputs = [get(o, 1)[0].decode() for o in get(graph, 12)]
        for node in nodes:
            ins = [v.decode() for v in get(node, 1)]
            out, op, attrs = get(node, 2)[0].decode(), get(node, 4)[0].decode(), attributes(node)
            if op == "Constant":
                consts[out] = attrs["value"]
            elif op == "Softmax" and drop_softmax and self.outputs == [out]:
                self.outputs = ins
            else:
                self.node(op, ins, out, attrs, consts)
        self.outputs = [self.of[o] for o in self.outputs]
        for v in self.values:
            if v.kind == "relu":
                self.values[v.ins[0]].bent = True

    def add(self, v):
        self.of[v.name] = len(self.values)
        self.values.append(v)

    def node(self, op, ins, out, attrs, consts):
        x = self.values[self.of[ins[0]]] if ins[0] in self.of else None
        if op == "Relu":
            self.add(Value(out, x.shape, "relu", [self.of[ins[0]]]))
        elif op in ("Flatten", "Reshape", "Identity", "Dropout"):
            shape = x.shape
            if op == "Reshape":
                shape = [x.shape[i] if d == 0 else d for i, d in enumerate(consts[ins[1]][1])]
                known = size([d for d in shape if d != -1])
                shape = [x.n // known if d == -1 else d for d in shape]
            elif op == "Flatten":
                axis = attrs.get("axis", 1)
                shape = [size(x.shape[:axis]), size(x.shape[axis:])]
            self.add(Value(out, shape, "affine", [self.of[ins[0]]], [[[(i, 1)] for i in range(x.n)]]))
        elif op in ("Gemm", "MatMul"):
            (rows, cols), w = consts[ins[1]]
            turned = attrs.get("transB", 0)
            k, n = (cols, rows) if turned else (rows, cols)
            if x.n != k or attrs.get("transA", 0):
                raise Refused("%s of a batch" % op)
            alpha, beta = Fraction(attrs.get("alpha", 1)), Fraction(attrs.get("beta", 1))
            m = [[(j, alpha * Fraction(w[i * k + j] if turned else w[j * n + i])) for j in range(k)] for i in range(n)]
            bias = [beta * Fraction(b) for b in consts[ins[2]][1]] if len(ins) > 2 else None
            self.add(Value(out, x.shape[:-1] + [n], "affine", [self.of[ins[0]]], [m], bias))
        elif op in ("Add", "Sub"):
            sign = -1 if op == "Sub" else 1
            names, maps, bias, shape = [], [], None, x.shape if x else self.values[self.of[ins[1]]].shape
            for name, s in ((ins[0], 1), (ins[1], sign)):
                if name in consts:
                    bias = [s * Fraction(c) for c in spread(consts[name], shape)]
                elif self.values[self.of[name]].shape != shape:
                    raise Refused("%s of two shapes" % op)
                else:
                    names.append(self.of[name])
                    maps.append([[(i, s)] for i in range(size(shape))])
            self.add(Value(out, shape, "affine", names, maps, bias))
        elif op == "Conv":
            self.conv(x, ins, out, attrs, consts)
        else:
            raise Refused("operator %s is not known here" % op)

    def conv(self, x, ins, out, attrs, consts):
        (m, per, kh, kw), w = consts[ins[1]]
        _, c, h, wide = x.shape
        sh, sw = attrs.get("strides", [1, 1])
        dh, dw = attrs.get("dilations", [1, 1])
        top, left, bottom, right = attrs.get("pads", [0, 0, 0, 0])
        group = attrs.get("group", 1)
        if attrs.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
            raise Refused("Conv with auto_pad")
        oh, ow = (h + top + bottom - dh * (kh - 1) - 1) // sh + 1, (wide + left + right - dw * (kw - 1) - 1) // sw + 1
        rows, bias, given = [], [], consts[ins[2]][1] if len(ins) > 2 else [0] * m
        for o in range(m):
            first = o // (m // group) * per
            for y in range(oh):
                for z in range(ow):
                    row = []
                    for k in range(per):
                        for a in range(kh):
                            for b in range(kw):
                                i, j = y * sh - top + a * dh, z * sw - left + b * dw
                                if 0 <= i < h and 0 <= j < wide:
                                    row.append((((first + k) * h + i) * wide + j, w[((o * per + k) * kh + a) * kw + b]))
                    rows.append(row)
                    bias.append(given[o])
        self.add(Value(out, [1, m, oh, ow], "affine", [self.of[ins[0]]], [rows], bias))


def spread(const, shape):
    """A constant by the standard's broadcasting."""
    dims, values = const
    dims = [1] * (len(shape) - len(dims)) + dims
    out = []
    for i in range(size(shape)):
        at, rest, step = 0, i, 1
        for d, n in zip(reversed(dims), reversed(shape)):
            at += (rest % n if d > 1 else 0) * step
            rest //= n
            step *= d
        out.append(values[at])
    return out


# ---- bounds

def down(x):  # of a Fraction, in units of 2^-FINE
    return (x.numerator << FINE) // x.denominator


def up(x):
    return -((-x.numerator << FINE) // x.denominator)


class State:
    def __init__(self, net, lower, upper):
        self.net, self.sides, self.empty, self.met = net, [], False, None
        self.box = [([INF] * v.n, [INF] * v.n) for v in net.values]
        at = 0
        for i in net.inputs:
            n = net.values[i].n
            self.box[i] = ([down(x) for x in lower[at:at + n]], [up(x) for x in upper[at:at + n]])
            at += n

    def copy(self):
        s = State.__new__(State)
        s.net, s.sides, s.empty, s.box, s.met = self.net, list(self.sides), self.empty, list(self.box), self.met
        return s

    def narrow(self, i, k, lower, upper):
        l, u = list(self.box[i][0]), list(self.box[i][1])
        if lower is not INF and (l[k] is INF or lower > l[k]):
            l[k] = lower
        if upper is not INF and (u[k] is INF or upper < u[k]):
            u[k] = upper
        self.box[i] = (l, u)
        self.empty = self.empty or l[k] is not INF and u[k] is not INF and l[k] > u[k]

    def half(self, i, k, at, above):
        s = self.copy()
        s.narrow(i, k, at if above else INF, INF if above else at)
        if s.net.values[i].kind != "input":
            s.sides.append((i, k, at, above))
        return s

    def bound(self, rows):
        s = self.copy()
        for i, v in enumerate(s.net.values):
            if s.empty:
                return s
            if v.kind == "input":
                continue
            l, u = [], []
            for k in range(v.n):
                if v.kind == "relu":
                    a, b = s.box[v.ins[0]]
                    low, high = max(a[k], 0), max(b[k], 0)
                else:
                    low = high = v.bias[k] << FINE
                    for m, j in zip(v.maps, v.ins):
                        a, b = s.box[j]
                        for c, w in m[k]:
                            low += w * (a[c] if w > 0 else b[c])
                            high += w * (b[c] if w > 0 else a[c])
                    low, high = low >> v.e, -(-high >> v.e)
                a, b = self.box[i]
                l.append(low if a[k] is INF else max(low, a[k]))
                u.append(high if b[k] is INF else min(high, b[k]))
            s.box[i] = (l, u)
            if rows and v.bent:
                for k in range(v.n):
                    for upper in (True, False) if u[k] < -l[k] else (False, True):
                        if l[k] < 0 < u[k] and upper:
                            u[k] = min(u[k], -floor(s.row({i: unit(v.n, k, -1)}, None, None)))
                        elif l[k] < 0 < u[k]:
                            l[k] = max(l[k], floor(s.row({i: unit(v.n, k, 1)}, None, None)))
            s.empty = any(a > b for a, b in zip(l, u))
        return s

    def row(self, coef, slopes, beta, fine=None, ceilings=()):
        """The least that a form of values can be: coef is by value, each integers and an exponent. Gives a Fraction."""
        coef, const = self.taken_down(coef, slopes, beta, fine, ceilings)
        const = self.nearer(coef, const)
        for i, (c, e) in coef.items():
            lower, upper = self.box[i]
            const += Fraction(sum(x * (lower[k] if x > 0 else upper[k]) for k, x in enumerate(c)), 1 << e + FINE)
        return const

    def within(self, coef, const, most):
        """The part where a row that lies above a form of the inputs is at most a number: the form is, and so it is with its coefficients rounded,
        which costs at most that of every input."""
        s, forms = self.copy(), {}
        const = self.nearer(coef, const)
        for i, (c, e) in coef.items():
            forms[i] = [(x << FINE) >> e for x in c]
            const -= sum(Fraction(max(abs(l), abs(u)), 1 << 2 * FINE) for l, u in zip(*self.box[i]))
        s.met = forms, most - const
        return s

    def nearer(self, coef, const):
        """Gives a form of the inputs the multiple of the half-space's with which its least value is the largest. Any multiple of at least 0 is right, so
        that it is looked for in floating point."""
        if not self.met:
            return const
        forms, most = self.met
        slope, breaks, by = -near(most.numerator, most.denominator), [], 0.0
        for i, a in forms.items():
            c, e = coef.get(i, ([0] * len(a), 0))
            for x, g, l, u in zip(c, a, *self.box[i]):
                x, g, l, u = near(x, 1 << e), near(g, 1 << FINE), near(l, 1 << FINE), near(u, 1 << FINE)
                low = x > 0 or x == 0 and g > 0
                slope += g * (l if low else u)
                if g < 0 if low else g > 0:
                    breaks.append((-x / g, abs(g) * (u - l)))
        for at, drop in sorted(breaks):
            if slope > 0:
                by, slope = at, slope - drop
        if 0 < by < float("inf"):
            by = Fraction(by)
            for i, a in forms.items():
                plus(coef, i, len(a), [(k, whole(by, bits(by)) * g) for k, g in enumerate(a)], FINE + bits(by))
            const -= by * most
        return const

    def top(self, i, k, slope):
        """What element k of a ReLU is at most above a form of the inputs: max(z, 0) - slope*x."""
        z = self.net.values[i].ins[0]
        lows = []
        for start in ({z: unit(self.net.values[z].n, k, -1)}, {}):
            self.add_inputs(start, slope)
            lows.append(self.row(start, None, None))
        return max(-low for low in lows)

    def add_inputs(self, coef, form):
        for j in self.net.inputs:
            n = self.net.values[j].n
            mine, form = form[:n], form[n:]
            e = max(map(bits, mine))
            plus(coef, j, n, [(k, whole(x, e)) for k, x in enumerate(mine)], e)

    def taken_down(self, coef, slopes, beta, fine=None, ceilings=()):
        """The form over the inputs that a row ends in: it lies below the row on the whole part."""
        net, const = self.net, Fraction(0)
        at = sum(v.n for v in net.values if v.kind == "relu")
        for i in range(len(net.values) - 1, -1, -1):
            v = net.values[i]
            at -= v.n if v.kind == "relu" else 0
            for (value, k, t, above), b in zip(self.sides, beta or []):
                if value == i and b:
                    b = -b if above else b
                    plus(coef, i, v.n, [(k, whole(b, bits(b)))], bits(b))
                    const -= b * Fraction(t, 1 << FINE)
            for hinge, times, form in ceilings:
                if v.kind == "relu" and at <= hinge < at + v.n:
                    const -= times * self.top(i, hinge - at, form)
                    plus(coef, i, v.n, [(hinge - at, whole(times, bits(times)))], bits(times))
                    self.add_inputs(coef, [-times * x for x in form])
            if i not in coef or v.kind == "input":
                continue
            c, e = coef.pop(i)
            if v.kind == "affine":
                const += Fraction(sum(x * b for x, b in zip(c, v.bias)), 1 << e + v.e)
                for m, j in zip(v.maps, v.ins):
                    d = [0] * net.values[j].n
                    for x, r in zip(c, m):
                        if x:
                            for col, w in r:
                                d[col] += x * w
                    plus(coef, j, net.values[j].n, enumerate(d), e + v.e)
                continue
            lower, upper = self.box[v.ins[0]]
            d, gone = [], 0
            for k, x in enumerate(c):
                if not x:
                    continue
                l, u = lower[k], upper[k]
                if l >= 0:
                    d.append((k, x << 60))
                elif u > 0 and x < 0:  # the line above: its slope is rounded, and its intercept so that it lies above both ends
                    slope = (u << 60) // (u - l)
                    gone += x * max(-slope * l, (u << 60) - slope * u)
                    d.append((k, x * slope))
                elif u > 0:  # the line below
                    given = slopes[at + k] if slopes else OWN
                    slope = fine[at + k] if fine else Fraction(given, STEEP) if given <= STEEP else Fraction(int(u * 10**9 > -l * (10**9 + 1)))
                    d.append((k, x * whole(slope, 60)))
            const += Fraction(gone, 1 << e + 60 + FINE)
            plus(coef, v.ins[0], v.n, d, e + 60)
        return coef, const


def unit(n, k, x):
    c = [0] * n
    c[k] = x
    return c, 0


def floor(x):
    return down(x)


def near(n, d):
    """A quotient as a float, if there is one."""
    try:
        return n / d
    except OverflowError:
        return float("inf") if n > 0 else -float("inf")


def plus(coef, i, n, terms, e):
    c, f = coef.get(i, ([0] * n, e))
    if f < e:
        c, f = [x << e - f for x in c], e
    else:
        c = list(c)
    for k, x in terms:
        c[k] += x << f - e
    coef[i] = (c, f)


# ---- the certificate

class Checker:
    def __init__(self, data, model):
        content = gzip.decompress(data)
        end = content.index(b"\n")
        self.h, self.data, self.at, self.leaves = json.loads(content[:end]), content, end + 1, 0
        h = self.h
        if h["format"] != "shoal certificate" or h["version"] != 3 or h["semantics"] != "real":
            raise Refused("another format, version or semantics")
        if h["model_sha256"] != hashlib.sha256(model).hexdigest():
            raise Refused("it is of another model")
        canonical = json.dumps(h["property"], separators=(",", ":"))
        if hashlib.sha256(canonical.encode()).hexdigest() != h["property_sha256"]:
            raise Refused("the property's hash is of another one")
        self.net = Network(model, h.get("softmax_left_out", False))
        self.values = [self.net.of[name] for name in h["values"]]
        self.cases = h["property"]["cases"]
        if sum(self.net.values[i].n for i in self.net.inputs) != h["property"]["inputs"] or \
                sum(self.net.values[i].n for i in self.net.outputs) != h["property"]["outputs"]:
            raise Refused("the property is of other sizes than the model")
        if h.get("softmax_left_out") and not all(len(q["coef"]) == 2 and Fraction(q["bound"]) == 0 and
                                                 sum(map(Fraction, q["coef"])) == 0 for c in self.cases for q in c["constraints"]):
            raise Refused("more is asked than the order of two outputs, and a last Softmax is left out")

    def number(self):
        n = shift = 0
        while True:
            b = self.data[self.at]
            self.at += 1
            n |= (b & 127) << shift
            shift += 7
            if b < 128:
                return n

    def float(self):
        self.at += 8
        return Fraction(struct.unpack("<d", self.data[self.at - 8:self.at])[0])

    def disproof(self):
        p = {"case": self.number(), "row": self.number(), "weights": [self.float() for _ in range(self.number())]}
        n = self.number()
        p["slopes"] = self.data[self.at:self.at + n]
        self.at += n
        p["beta"] = [self.float() for _ in range(self.number())]
        return p

    def exact(self):
        p = {"case": self.number(), "row": 0, "slopes": b""}
        p["weights"], p["fine"], p["beta"] = ([self.float() for _ in range(self.number())] for _ in range(3))
        p["ceilings"] = [(self.number(), self.float(), [self.float() for _ in range(self.number())]) for _ in range(self.number())]
        hinges, inputs = sum(v.n for v in self.net.values if v.kind == "relu"), sum(self.net.values[i].n for i in self.net.inputs)
        if p["fine"] and len(p["fine"]) != hinges or any(not 0 <= x <= 1 or bits(x) > 60 for x in p["fine"]):
            raise Refused("slopes that are not of the ReLUs, not from 0 to 1, or finer than 2^-60")
        if any(h >= hinges or times < 0 or len(form) != inputs for h, times, form in p["ceilings"]):
            raise Refused("a ceiling of no ReLU, below 0, or of other inputs")
        return p

    def form(self, terms):
        coef, at = {}, 0
        by = {}
        for i, c in terms:
            by[i] = by.get(i, 0) + c
        for o in self.net.outputs:
            v = self.net.values[o]
            mine = [(k, by[at + k]) for k in range(v.n) if by.get(at + k)]
            self.scale = 1
            for _, c in mine:
                self.scale = self.scale * c.denominator
            plus(coef, o, v.n, [(k, int(c * self.scale)) for k, c in mine], 0)
            at += v.n
            if len(self.net.outputs) > 1 and self.scale > 1:
                raise Refused("several outputs with fractions are not known here")
        return coef, self.scale

    def sum(self, s, p):
        """The row of a case's constraints with its scale, by which its multipliers are scaled too, what it is at most where they are met, and whether it is
        less there."""
        constraints = self.cases[p["case"]]["constraints"]
        weights = p["weights"] or [Fraction(int(k == p["row"])) for k in range(len(constraints))]
        if len(weights) != len(constraints) or min(weights) < 0 or max(weights) == 0 and not p["weights"] or any(b < 0 for b in p["beta"]):
            raise Refused("a weight or multiplier below 0, or none")
        if p["beta"] and len(p["beta"]) != len(s.sides):
            raise Refused("multipliers that are not of the sides")
        terms, limit, strict = [], Fraction(0), False
        for w, q in zip(weights, constraints):
            terms += [(i, w * Fraction(c)) for i, c in zip(q["index"], q["coef"])]
            limit += w * Fraction(q["bound"])
            strict = strict or w > 0 and q.get("strict", False)
        coef, scale = self.form(terms)
        return coef, scale, [b * scale for b in p["beta"]], limit, strict

    def disprove(self, s, p):
        if s.empty:
            return
        coef, scale, beta, limit, strict = self.sum(s, p)
        low = s.row(coef, p["slopes"], beta, p.get("fine"), [(h, times * scale, form) for h, times, form in p.get("ceilings", [])])
        if not (low > limit * scale or strict and low == limit * scale):
            raise Refused("case %d after %d parts: the row is at least %s, the limit is %s" % (p["case"], self.leaves, float(low / scale), float(limit)))

    def walk(self, s, left):
        while left:
            kind = self.data[self.at:self.at + 1]
            self.at += 1
            if kind == b"B":
                s = s.bound(True)
            elif kind == b"A":
                if len(left) < 2:
                    raise Refused("one case is taken apart")
                for k in left:
                    self.walk(s, [k])
                return
            elif kind == b"H":
                p = self.disproof()
                if left != [p["case"]]:
                    raise Refused("a half-space of case %d, which is not the one that is open" % p["case"])
                coef, scale, beta, limit, _ = self.sum(s, p)
                coef, const = s.taken_down(coef, p["slopes"], beta)
                s = s.within(coef, const, limit * scale)
            elif kind == b"E":
                if not s.empty:
                    raise Refused("a part is said to be empty, after %d parts" % self.leaves)
                break
            elif kind in (b"K", b"L"):
                proofs = self.number()
                if not proofs:
                    raise Refused("a step that disproves nothing")
                for _ in range(proofs):
                    p = self.disproof() if kind == b"K" else self.exact()
                    if p["case"] not in left:
                        raise Refused("case %d is not open" % p["case"])
                    self.disprove(s, p)
                    left = [c for c in left if c != p["case"]]
            elif kind == b"R":
                i, k, p = self.values[self.number()], self.number(), self.disproof()
                low = floor(s.row({i: unit(self.net.values[i].n, k, -1 if p["row"] else 1)}, p["slopes"], p["beta"]))
                s = s.copy()
                s.narrow(i, k, INF if p["row"] else low, -low if p["row"] else INF)
            elif kind in (b"I", b"N"):
                i = self.values[self.number()] if kind == b"N" else 0
                k, at = self.number(), self.float()
                if kind == b"I":
                    while k >= self.net.values[self.net.inputs[i]].n:
                        k -= self.net.values[self.net.inputs[i]].n
                        i += 1
                    i = self.net.inputs[i]
                if bits(at) > FINE:
                    raise Refused("a split at a number that is finer than 2^-%d" % FINE)
                for above in (False, True):
                    self.walk(s.half(i, k, whole(at, FINE), above), left)
                return
            else:
                raise Refused("a step that is not known")
        self.leaves += 1

    def check(self):
        if self.h["kind"] != "proof":
            return self.point()
        for b, box in enumerate(self.h["property"]["boxes"]):
            s = State(self.net, [Fraction(x) for x in box["lower"]], [Fraction(x) for x in box["upper"]]).bound(False)
            self.walk(s, [k for k, c in enumerate(self.cases) if c["box"] == b])
        self.finish()
        return "no input meets a case of the property with SHA-256 %s (%d parts)" % (self.h["property_sha256"], self.leaves)

    def point(self):
        p = self.h["point"]
        case, x = self.cases[p["case"]], [Fraction(v) for v in p["inputs"]]
        box = self.h["property"]["boxes"][case["box"]]
        if len(x) != len(box["lower"]) or not all(Fraction(l) <= v <= Fraction(u) for l, v, u in zip(box["lower"], x, box["upper"])):
            raise Refused("the point lies outside the box")
        y = self.run(x)
        for q in case["constraints"]:
            left, bound = sum(Fraction(c) * y[i] for i, c in zip(q["index"], q["coef"])), Fraction(q["bound"])
            if not (left < bound or left == bound and not q.get("strict", False)):
                raise Refused("the point does not meet the case")
        self.finish()
        return "an input meets case %d of the property with SHA-256 %s" % (p["case"], self.h["property_sha256"])

    def run(self, x):
        y, at = [], 0
        for v in self.net.values:
            if v.kind == "input":
                y.append(x[at:at + v.n])
                at += v.n
            elif v.kind == "relu":
                y.append([max(z, 0) for z in y[v.ins[0]]])
            else:
                y.append([(v.bias[k] + sum(sum(w * y[j][c] for c, w in m[k]) for m, j in zip(v.maps, v.ins))) / Fraction(1 << v.e)
                          for k in range(v.n)])
        return [z for o in self.net.outputs for z in y[o]]

    def finish(self):
        if self.data[self.at:] != b"Z":
            raise Refused("its end is not where the last tree ends")


def main():
    sys.setrecursionlimit(20000)
    try:
        with open(sys.argv[1], "rb") as f, open(sys.argv[2], "rb") as g:
            data, model = f.read(), g.read()
        if model[:2] == b"\x1f\x8b":
            model = gzip.decompress(model)
        print("proven:", Checker(data, model).check())
        return 0
    except Refused as e:
        print("refused:", e)
        return 10
    except Exception as e:
        print("recheck.py: it cannot be read: %r" % e, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
