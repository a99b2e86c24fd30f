"""What the payer page says, in Chinese and English."""

from __future__ import annotations

ZH: dict[str, str] = {
    "html_lang": "zh-CN",
    "other_lang": "en",
    "other_lang_name": "English",
    "sandbox": "沙箱环境 · 不会产生真实扣款",
    "title": "收银台",
    "payee": "收款方",
    "institution": "支付机构",
    "subject": "商品",
    "order": "商户单号",
    "trade": "交易号",
    "method": "支付方式",
    "valid_until": "有效期至",
    "pay": "确认支付",
    "rehearse": "演练其他结果",
    "rehearse_hint": "每个按钮都像真实付款人那样操作一次，用来检验对接是否稳妥。",
    "less": "少付",
    "less_hint": "实付比应付少",
    "more": "多付",
    "more_hint": "实付比应付多 ¥1.00",
    "twice": "重复支付",
    "twice_hint": "同一订单付两次",
    "fail": "支付失败",
    "fail_hint": "没有扣款，通知失败",
    "delay": "回调延迟",
    "delay_hint": "已付款，{delay_s} 秒后才通知",
    "lose_callback": "回调丢失",
    "lose_callback_hint": "已付款，但永不通知",
    "done_paid": "支付成功",
    "done_less": "支付成功（少付）",
    "done_more": "支付成功（多付）",
    "done_twice": "重复支付成功",
    "done_fail": "支付失败",
    "done_delay": "支付成功",
    "done_lose_callback": "支付成功",
    "done_closed": "订单已关闭",
    "next_paid": "商户平台会收到支付成功的通知。",
    "next_less": "商户平台会收到通知：实付少于应付。",
    "next_more": "商户平台会收到通知：实付多于应付。",
    "next_twice": "商户平台会收到两次通知，交易号不同。",
    "next_fail": "没有扣款。商户平台会收到支付失败的通知。",
    "next_delay": "商户平台稍后才会收到支付成功的通知。",
    "next_lose_callback": "商户平台不会收到通知，只能通过查询得知已支付。",
    "next_closed": "订单已过期或被商户关闭，不能再支付。",
    "asked": "应付",
    "paid_amount": "实付",
    "paid_each": "实付（每次）",
    "paid_at": "时间",
    "back": "返回商户",
    "no_back": "可以关闭此页面了。",
    "refund_PROCESSING": "退款处理中",
    "refund_SUCCEEDED": "已退款",
    "refund_FAILED": "退款失败",
    "refused": "无法打开收银台",
    "refused_hint": "支付机构没有接受这笔订单。请返回商户重新下单。",
    "not_found": "没有这笔订单",
    "not_found_hint": "请检查支付链接是否完整。",
    "footer": "用于测试的支付机构，一切均为模拟。",
    "zone": "北京时间",
}

EN: dict[str, str] = {
    "html_lang": "en",
    "other_lang": "zh",
    "other_lang_name": "中文",
    "sandbox": "Sandbox · no real money moves",
    "title": "Checkout",
    "payee": "Payee",
    "institution": "Paid through",
    "subject": "Item",
    "order": "Merchant's number",
    "trade": "Trade number",
    "method": "Method",
    "valid_until": "Valid until",
    "pay": "Pay",
    "rehearse": "Rehearse another outcome",
    "rehearse_hint": "Each button acts once as a real payer would, to prove an integration sound.",
    "less": "Pay less",
    "less_hint": "Short of the amount",
    "more": "Pay more",
    "more_hint": "¥1.00 too much",
    "twice": "Pay twice",
    "twice_hint": "Two payments made",
    "fail": "Fail",
    "fail_hint": "No money moves",
    "delay": "Late callback",
    "delay_hint": "Paid, told {delay_s} s later",
    "lose_callback": "Lost callback",
    "lose_callback_hint": "Paid, but never told",
    "done_paid": "Payment received",
    "done_less": "Paid, but too little",
    "done_more": "Paid, but too much",
    "done_twice": "Paid twice",
    "done_fail": "Payment failed",
    "done_delay": "Payment received",
    "done_lose_callback": "Payment received",
    "done_closed": "This order is closed",
    "next_paid": "The merchant's platform is being told that it was paid.",
    "next_less": "The platform is being told: less was paid than asked.",
    "next_more": "The platform is being told: more was paid than asked.",
    "next_twice": "The platform is told twice, with two trade numbers.",
    "next_fail": "Nothing was charged. The platform is being told that it failed.",
    "next_delay": "The platform will be told that it was paid, a little later.",
    "next_lose_callback": "The platform is never told. Only a query shows that it was paid.",
    "next_closed": "It expired or the merchant closed it. It can no longer be paid.",
    "asked": "Asked",
    "paid_amount": "Paid",
    "paid_each": "Paid, each time",
    "paid_at": "At",
    "back": "Back to the merchant",
    "no_back": "You can close this page now.",
    "refund_PROCESSING": "Refund under way",
    "refund_SUCCEEDED": "Refunded",
    "refund_FAILED": "Refund failed",
    "refused": "The checkout cannot be opened",
    "refused_hint": "The institution did not take this order. Please go back and order again.",
    "not_found": "There is no such order",
    "not_found_hint": "Please check that the pay link is complete.",
    "footer": "A payment institution for tests. Everything here is simulated.",
    "zone": "UTC+8",
}

METHODS: dict[str, tuple[str, str]] = {
    "alipay_qr": ("支付宝扫码", "Alipay QR"),
    "alipay_h5": ("支付宝 H5", "Alipay H5"),
    "wechat_qr": ("微信扫码", "WeChat Pay QR"),
    "wechat_h5": ("微信 H5", "WeChat Pay H5"),
    "unionpay_qr": ("云闪付扫码", "UnionPay QR"),
    "bank_web": ("网银支付", "Online banking"),
}


def choose_language(asked: str, accepted: str) -> dict[str, str]:
    """Texts for `?lang=` if it is zh or en, else for Accept-Language; Chinese when neither says."""
    if asked in ("zh", "en"):
        return EN if asked == "en" else ZH
    for part in accepted.split(","):
        tag = part.split(";")[0].strip().lower()
        if tag == "en" or tag.startswith("en-"):
            return EN
        if tag == "zh" or tag.startswith("zh-"):
            return ZH
    return EN if accepted.strip(" *") else ZH


def method_name(code: str, texts: dict[str, str]) -> str:
    """How a payer calls a pay type; its code when it has no name."""
    names = METHODS.get(code)
    if names is None:
        return code
    return names[1] if texts is EN else names[0]
