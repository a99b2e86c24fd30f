"""What the shop's pages say, in Chinese and English."""

from __future__ import annotations

ZH: dict[str, str] = {
    "html_lang": "zh-CN",
    "other_lang": "en",
    "other_lang_name": "English",
    "title": "示例商店",
    "sandbox": "演示商户服务器 · 不会产生真实交易",
    "new_order": "新建订单",
    "merchant": "商户",
    "product": "产品",
    "amount": "金额（元）",
    "subject": "商品名称",
    "subject_value": "青山绿茶 250g 礼盒",
    "create": "创建订单",
    "bad_amount": "金额应为不小于 0.01 的数字，最多两位小数。",
    "bad_subject": "请填写商品名称，最多 100 个字。",
    "order": "订单",
    "orders": "最近订单",
    "none_yet": "还没有订单。填好左边的表单，点“创建订单”。",
    "none_yet_narrow": "还没有订单。填好上面的表单，点“创建订单”。",
    "call": "接口调用",
    "request": "发出的请求",
    "signed": "被签名的字符串",
    "signed_hint": "密钥不会发送，这里也只显示开头。",
    "answer": "收到的应答",
    "no_answer": "没有收到应答",
    "cashier": "去收银台付款",
    "notifications": "收到的通知",
    "no_notifications": "付款后，通知会出现在这里。",
    "live": "实时",
    "verified": "验签通过",
    "forged": "验签失败",
    "repeat": "重复投递",
    "body": "内容",
    "sent": "已发出",
    "refused": "被拒绝",
    "accepted": "已受理",
    "paid": "已支付",
    "ended": "已结束",
    "return_paid": "付款成功，谢谢！",
    "return_paid_hint": "商店已收到并核验了平台的通知。",
    "return_wait": "正在确认付款",
    "return_wait_hint": "商店只相信平台签名的通知，不相信浏览器跳转。收到后本页会更新。",
    "reload": "刷新",
    "order_no": "平台订单号",
    "copy_no": "复制",
    "copied": "已复制",
    "to_shop": "回到商店",
    "pages": "演示的其他页面",
    "page_desk": "支付台",
    "page_chat": "聊天页面",
    "page_supplier": "供应商",
    "page_docs": "API 文档",
}

EN: dict[str, str] = {
    "html_lang": "en",
    "other_lang": "zh",
    "other_lang_name": "中文",
    "title": "Sample shop",
    "sandbox": "Demo merchant's server · no real trade",
    "new_order": "New order",
    "merchant": "Merchant",
    "product": "Product",
    "amount": "Amount (CNY)",
    "subject": "What is sold",
    "subject_value": "Green tea, gift box 250 g",
    "create": "Create the order",
    "bad_amount": "The amount must be a number of at least 0.01 with at most two decimals.",
    "bad_subject": "Say what is sold, in at most 100 characters.",
    "order": "Order",
    "orders": "Latest orders",
    "none_yet": "No order yet. Fill in the form on the left and create one.",
    "none_yet_narrow": "No order yet. Fill in the form above and create one.",
    "call": "The call",
    "request": "The request as it was sent",
    "signed": "The string that was signed",
    "signed_hint": "The secret is never sent; only its beginning is shown here.",
    "answer": "The answer",
    "no_answer": "Nobody answered",
    "cashier": "Go to the cashier",
    "notifications": "Notifications received",
    "no_notifications": "After a payment the notification appears here.",
    "live": "live",
    "verified": "signature valid",
    "forged": "not valid",
    "repeat": "delivered again",
    "body": "Content",
    "sent": "sent",
    "refused": "refused",
    "accepted": "accepted",
    "paid": "paid",
    "ended": "ended",
    "return_paid": "Paid. Thank you!",
    "return_paid_hint": "The shop has received and verified the desk's notification.",
    "return_wait": "Your payment is being confirmed",
    "return_wait_hint": (
        "The shop believes the desk's signed notification, not the browser's way back."
        " This page follows when it arrives."
    ),
    "reload": "Reload",
    "order_no": "Desk’s order number",
    "copy_no": "Copy",
    "copied": "Copied",
    "to_shop": "To the shop",
    "pages": "Other pages of the demo",
    "page_desk": "Payment desk",
    "page_chat": "Chat page",
    "page_supplier": "Supplier",
    "page_docs": "API documents",
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
