"""Channels in the admin: opening and describing them, who is in them, posting.

A face: changes go through the services, so connections hear of them at once.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.decorators import display

from gateway.admin.forms import ChannelForm, MemberForm, NewChannelForm, PostForm
from gateway.admin.links import account_link, account_url, link, messages_url, unbroken
from gateway.models import Account, Channel, ChannelType
from gateway.selectors.overview import overview_of_channels
from gateway.services.accounts import account_of
from gateway.services.channels import create_channel, describe_channel, join_channel, leave_channel
from gateway.services.posts import NewPost, post_message
from realtime.admin_base import ServiceAdmin, attempt
from realtime.admin_times import minute

# On a channel's page, the latest to join. Others are found by their account.
MAX_MEMBERS_SHOWN = 100

_TYPE_LABELS = {ChannelType.QUESTION: "info", ChannelType.STREAM: "success", ChannelType.DIRECT: "warning"}
_TEXTS = ("title", "description", "topic", "stream_url")


@admin.register(Channel)
class ChannelAdmin(ServiceAdmin):
    """The newest first. A channel stays, and so does its type: its messages are told of by their ids."""

    form = ChannelForm
    list_display = ("name", "type_label", "topic", "author_name", "members", "last_message", "created")
    list_filter = ("type",)
    search_fields = ("title", "topic", "=id")
    search_help_text = "Part of a title or a topic, or an id"
    autocomplete_fields = ("author",)
    readonly_fields = ("type_words", "author_name", "channel_id", "created", "messages_link")
    change_form_outer_after_template = "admin/gateway/channel/page.html"
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        return overview_of_channels()

    def get_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("type", *_TEXTS, "author", "members")
        return (*_TEXTS, *self.readonly_fields)

    def get_form(
        self, request: HttpRequest, obj: Channel | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Channel]]:
        if obj is None:
            kwargs["form"] = NewChannelForm
        form: type[forms.ModelForm[Channel]] = super().get_form(request, obj, change, **kwargs)
        return form

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        if change:
            describe_channel(channel=obj)
            return
        made = create_channel(
            author=obj.author,
            kind=obj.type,
            **{name: getattr(obj, name) for name in _TEXTS},
            member_ids=[account.pk for account in form.cleaned_data["members"]],
        )
        obj.pk, obj.created_at = made.pk, made.created_at

    # --- Columns and fields ---------------------------------------------------------------------------

    @admin.display(description="channel", ordering="title")
    def name(self, channel: Channel) -> str:
        """Its title, or what it is where it has none."""
        return str(channel)

    @display(description="type", ordering="type", label=_TYPE_LABELS)  # type: ignore[untyped-decorator]
    def type_label(self, channel: Channel) -> tuple[int, str]:
        """Who may post."""
        return channel.type, channel.get_type_display()

    @admin.display(description="type")
    def type_words(self, channel: Channel) -> str:
        """The same on its page."""
        return channel.get_type_display()

    @admin.display(description="author")
    def author_name(self, channel: Channel) -> SafeString:
        """Who opened it."""
        return account_link(channel.author)

    @admin.display(description="members")
    def members(self, channel: Channel) -> int:
        """How many are in it."""
        count: int = getattr(channel, "member_count", 0)
        return count

    @admin.display(description="last message")
    def last_message(self, channel: Channel) -> SafeString:
        """When the latest was posted."""
        return unbroken(minute(getattr(channel, "last_message_at", None)))

    @admin.display(description="opened", ordering="id")
    def created(self, channel: Channel) -> SafeString:
        """When it was opened."""
        return unbroken(minute(channel.created_at))

    @admin.display(description="id")
    def channel_id(self, channel: Channel) -> str:
        """As clients have it."""
        return str(channel.pk)

    @admin.display(description="messages")
    def messages_link(self, channel: Channel) -> SafeString:
        """What was posted."""
        return link(messages_url(channel=channel.pk), "All that was posted here")

    # --- The page -------------------------------------------------------------------------------------

    @property
    def media(self) -> forms.Media:
        own: forms.Media = super().media
        return own + MemberForm().media

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/add-member/", view(self.add_member_view), name="gateway_channel_add_member"),
            path(
                "<int:pk>/remove-member/", view(self.remove_member_view), name="gateway_channel_remove_member"
            ),
            path("<int:pk>/post/", view(self.post_view), name="gateway_channel_post"),
            *super().get_urls(),
        ]

    def row_context(self, request: HttpRequest, row: Channel) -> dict[str, Any]:
        """Its members, and forms to change them and to post. Three queries."""
        members = row.members.select_related("account__user").order_by("-pk")[:MAX_MEMBERS_SHOWN]
        shown = [
            {
                "account_id": member.account_id,
                "name": str(member.account),
                "username": member.account.user.get_username(),
                "url": account_url(member.account_id),
                "joined": minute(member.joined_at),
            }
            for member in members
        ]
        may_post = request.user.has_perm("gateway.add_message")
        poster = Account.objects.filter(user=request.user.pk).first() if may_post else None
        is_member = poster is not None and row.members.filter(account=poster).exists()
        return {
            "members": shown,
            "more_members": max(self.members(row) - len(shown), 0),
            "may_change": self.holds(request, "change"),
            "member_form": MemberForm(),
            "may_post": may_post,
            "may_post_here": is_member or row.type != ChannelType.DIRECT,
            "is_member": is_member,
            "poster": poster or request.user.get_full_name() or request.user.get_username(),  # type: ignore[union-attr]
            "post_form": PostForm(),
        }

    def add_member_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: have an account join the channel, then show it."""
        channel: Channel = self.target(request, pk, "change")
        form = MemberForm(request.POST)
        if request.method == "POST" and form.is_valid():
            account: Account = form.cleaned_data["account"]
            join_channel(channel=channel, account_id=account.pk)
            self.log_change(request, channel, f"{account} was added.")
            messages.success(request, f"{account} is a member now.")
        elif request.method == "POST":
            messages.error(request, "Choose whom to add.")
        return self.to_row(channel)

    def remove_member_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: have an account leave the channel, then show it."""
        channel: Channel = self.target(request, pk, "change")
        form = MemberForm(request.POST)
        if request.method == "POST" and form.is_valid():
            account: Account = form.cleaned_data["account"]
            if leave_channel(channel=channel, account_id=account.pk):
                self.log_change(request, channel, f"{account} was removed.")
                messages.success(request, f"{account} is no member any more.")
            else:
                messages.warning(request, f"{account} was no member any more.")
        return self.to_row(channel)

    def post_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``POST``: post as the account of whoever is signed in, made now if there is none."""
        channel: Channel = self.target(request, pk, "view")
        if not isinstance(request.user, User) or not request.user.has_perm("gateway.add_message"):
            raise PermissionDenied
        form = PostForm(request.POST)
        if request.method == "POST" and form.is_valid():
            author = account_of(request.user)
            post = NewPost(channel.pk, author.pk, form.cleaned_data["type"], form.cleaned_data["content"])
            attempt(request, [channel], lambda _: post_message(post), done="got the message")
        elif request.method == "POST":
            messages.error(
                request, " ".join(str(error) for errors in form.errors.values() for error in errors)
            )
        return self.to_row(channel)
